/**
 * What is used of the AWS SDK. A file of its own because it becomes a bundle of its own (tools/build.ts), loaded only where S3 is configured: it costs some
 * 100 ms and 20 MB.
 */
export {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CopyObjectCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
  UploadPartCopyCommand,
} from '@aws-sdk/client-s3'
