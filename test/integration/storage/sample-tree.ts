import { join } from 'node:path'
import { createFiles } from '#kernel'
import { shell } from './tree-listing.ts'

/** What GNU tar has to be told to keep everything. */
export const TAR_OPTIONS = '--xattrs --xattrs-include="*" --numeric-owner'

/** One of everything that a file system can hold. */
export function makeTree(root: string): void {
  shell(
    root,
    `mkdir -p d/deep/er empty 'sp ace'
     printf text > d/file; chmod 4751 d/file; chown 1000:1001 d/file; touch -d '2020-02-03 04:05:06.123456789' d/file
     ln d/file hard; ln d/file d/deep/hard
     ln -s ../../outside d/link; ln -s /etc/passwd absolute; chown -h 5:6 absolute; touch -h -d '2001-01-01 00:00:00.5' absolute
     mknod null c 1 3; mknod big b 259 70000; chmod 640 big; chown 0:6 big; mkfifo -m 600 pipe
     truncate -s 50M sparse; printf data | dd of=sparse bs=1 seek=20M conv=notrunc status=none
     printf x > "$(printf 'not-utf8-\\377')"; printf y > "$(printf 'n%.0s' $(seq 200))"
     chmod 1777 empty; chmod 2755 d/deep; chown 7:8 d/deep; touch -d '1999-12-31 23:59:59' d/deep d
     printf grüße > 'sp ace/ünï'`,
  )
  const files = createFiles()
  files.setXattr(join(root, 'd/file'), 'user.test', Buffer.from('value\0with nul'))
  // cap_net_raw+ep; survives only when set after the owner.
  files.setXattr(join(root, 'hard'), 'security.capability', Buffer.from('0100000200200000000000000000000000000000', 'hex'))
  files.setXattr(join(root, 'empty'), 'user.directory', Buffer.from('1'))
  files.setXattr(join(root, 'absolute'), 'trusted.on-a-link', Buffer.from('2'))
}
