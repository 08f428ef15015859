/** What the fake engine answers with: one running and one stopped container, and what belongs to them. Shapes of API 1.50. */
import { RUNNING_ID, STOPPED_ID } from './fixtures-ids.ts'
import { EVENTS, INFO, STATS, VERSION } from './fixtures-system.ts'

const IMAGE_ID = `sha256:${'a1b2c3d4'.repeat(8)}`
const OLD_IMAGE_ID = `sha256:${'0f1e2d3c'.repeat(8)}`

/** Long enough ago that the texts of ages do not change while tests run. */
const CREATED = Math.floor(Date.now() / 1000) - 3 * 86400 - 3600

const endpoint = {
  IPAMConfig: null,
  Links: null,
  Aliases: null,
  MacAddress: '02:42:ac:11:00:02',
  DriverOpts: null,
  GwPriority: 0,
  NetworkID: 'b'.repeat(64),
  EndpointID: 'f'.repeat(64),
  Gateway: '172.17.0.1',
  IPAddress: '172.17.0.2',
  IPPrefixLen: 16,
  IPv6Gateway: '',
  GlobalIPv6Address: '',
  GlobalIPv6PrefixLen: 0,
  DNSNames: null,
}

const volumeMount = {
  Type: 'volume',
  Name: 'data',
  Source: '/var/lib/engine/volumes/data/_data',
  Destination: '/data',
  Driver: 'local',
  Mode: 'z',
  RW: true,
  Propagation: '',
}

const containers = [
  {
    Id: RUNNING_ID,
    Names: ['/web'],
    Image: 'busybox:latest',
    ImageID: IMAGE_ID,
    Command: 'sh -c \'while true; do echo "a long line"; sleep 1; done\'',
    Created: CREATED,
    Ports: [
      { IP: '0.0.0.0', PrivatePort: 80, PublicPort: 8080, Type: 'tcp' },
      { IP: '::', PrivatePort: 80, PublicPort: 8080, Type: 'tcp' },
      { IP: '0.0.0.0', PrivatePort: 443, PublicPort: 443, Type: 'tcp' },
      { IP: '0.0.0.0', PrivatePort: 444, PublicPort: 444, Type: 'tcp' },
      { PrivatePort: 53, Type: 'udp' },
    ],
    Labels: { 'com.example.team-name': 'blue' },
    State: 'running',
    Status: 'Up 2 days',
    HostConfig: { NetworkMode: 'bridge' },
    NetworkSettings: { Networks: { bridge: endpoint } },
    Mounts: [volumeMount],
  },
  {
    Id: STOPPED_ID,
    Names: ['/job'],
    Image: OLD_IMAGE_ID,
    ImageID: OLD_IMAGE_ID,
    Command: 'true',
    Created: CREATED - 86400 * 20,
    Ports: [],
    Labels: {},
    State: 'exited',
    Status: 'Exited (3) 3 weeks ago',
    HostConfig: { NetworkMode: 'none' },
    NetworkSettings: { Networks: {} },
    Mounts: [],
  },
]

const inspect = {
  Id: RUNNING_ID,
  Created: '2024-05-06T07:08:09.123456789Z',
  Path: 'sh',
  Args: ['-c', 'while true; do sleep 1; done'],
  State: {
    Status: 'running',
    Running: true,
    Paused: false,
    Restarting: false,
    OOMKilled: false,
    Dead: false,
    Pid: 4242,
    ExitCode: 0,
    Error: '',
    StartedAt: '2024-05-06T07:08:10.5Z',
    FinishedAt: '0001-01-01T00:00:00Z',
  },
  Image: IMAGE_ID,
  ResolvConfPath: '/var/lib/engine/containers/x/resolv.conf',
  HostnamePath: '/var/lib/engine/containers/x/hostname',
  HostsPath: '/var/lib/engine/containers/x/hosts',
  LogPath: '/var/lib/engine/containers/x/x-json.log',
  Name: '/web',
  RestartCount: 0,
  Driver: 'overlay2',
  Platform: 'linux',
  MountLabel: '',
  ProcessLabel: '',
  AppArmorProfile: '',
  ExecIDs: null,
  HostConfig: {
    Binds: ['data:/data'],
    ContainerIDFile: '',
    LogConfig: { Type: 'json-file', Config: {} },
    NetworkMode: 'bridge',
    PortBindings: { '80/tcp': [{ HostIp: '', HostPort: '8080' }] },
    RestartPolicy: { Name: 'no', MaximumRetryCount: 0 },
    AutoRemove: false,
    Memory: 268435456,
    NanoCpus: 1500000000,
  },
  GraphDriver: { Data: { MergedDir: '/m', UpperDir: '/u' }, Name: 'overlay2' },
  Mounts: [volumeMount],
  Config: {
    Hostname: '3f2a1b0c3f2a',
    Domainname: '',
    User: '',
    AttachStdin: false,
    AttachStdout: false,
    AttachStderr: false,
    ExposedPorts: { '80/tcp': {} },
    Tty: false,
    OpenStdin: false,
    StdinOnce: false,
    Env: ['PATH=/bin', 'GREETING=a <b> & c'],
    Cmd: ['sh', '-c', 'while true; do sleep 1; done'],
    Image: 'busybox:latest',
    Volumes: null,
    WorkingDir: '',
    Entrypoint: null,
    Labels: { 'com.example.team-name': 'blue', z: '1' },
  },
  NetworkSettings: {
    SandboxID: '1'.repeat(64),
    SandboxKey: '/run/netns/1',
    Ports: {
      '80/tcp': [
        { HostIp: '0.0.0.0', HostPort: '8080' },
        { HostIp: '::', HostPort: '8080' },
      ],
      '53/udp': null,
    },
    IPAddress: '172.17.0.2',
    Networks: { bridge: endpoint },
  },
}

const images = [
  {
    Id: IMAGE_ID,
    ParentId: '',
    // One repository: Docker's CLI lists several in random order.
    RepoTags: ['busybox:latest', 'busybox:1.36'],
    RepoDigests: [`busybox@sha256:${'7'.repeat(64)}`],
    Created: CREATED - 86400 * 100,
    Size: 4269678,
    SharedSize: -1,
    Labels: null,
    Containers: -1,
  },
  {
    Id: OLD_IMAGE_ID,
    ParentId: '',
    RepoTags: [],
    RepoDigests: [],
    Created: CREATED - 86400 * 400,
    Size: 123456789,
    SharedSize: -1,
    Labels: { a: 'b' },
    Containers: -1,
  },
]

const volumes = [
  {
    CreatedAt: '2024-05-06T07:08:09Z',
    Driver: 'local',
    Labels: { tier: 'db' },
    Mountpoint: '/var/lib/engine/volumes/data/_data',
    Name: 'data',
    Options: null,
    Scope: 'local',
  },
  {
    CreatedAt: '2024-05-06T07:08:09Z',
    Driver: 'local',
    Labels: null,
    Mountpoint: '/var/lib/engine/volumes/v10/_data',
    Name: 'v10',
    Options: null,
    Scope: 'local',
  },
  {
    CreatedAt: '2024-05-06T07:08:09Z',
    Driver: 'local',
    Labels: null,
    Mountpoint: '/var/lib/engine/volumes/v9/_data',
    Name: 'v9',
    Options: null,
    Scope: 'local',
  },
]

function network(name: string, id: string, driver: string): object {
  return {
    Name: name,
    Id: id.repeat(64),
    Created: '2024-05-06T07:08:09.123456Z',
    Scope: 'local',
    Driver: driver,
    EnableIPv4: true,
    EnableIPv6: false,
    IPAM: { Driver: 'default', Options: null, Config: [{ Subnet: '172.17.0.0/16', Gateway: '172.17.0.1' }] },
    Internal: false,
    Attachable: false,
    Ingress: false,
    ConfigFrom: { Network: '' },
    ConfigOnly: false,
    Containers: {},
    Options: {},
    Labels: {},
  }
}

export const FIXTURES: Record<string, any> = {
  containers,
  inspect,
  inspectStopped: {
    ...inspect,
    Id: STOPPED_ID,
    Name: '/job',
    State: { ...inspect.State, Status: 'exited', Running: false, Pid: 0, ExitCode: 3 },
  },
  images,
  imageInspect: {
    Id: IMAGE_ID,
    RepoTags: ['busybox:latest'],
    RepoDigests: [],
    Parent: '',
    Comment: '',
    Created: '2024-05-06T07:08:09Z',
    DockerVersion: '',
    Author: '',
    Config: { Cmd: ['sh'], Env: ['PATH=/bin'], Labels: null },
    Architecture: 'amd64',
    Os: 'linux',
    Size: 4269678,
    GraphDriver: { Data: null, Name: 'overlay2' },
    RootFS: { Type: 'layers', Layers: [`sha256:${'1'.repeat(64)}`] },
    Metadata: { LastTagTime: '2024-05-06T07:08:09Z' },
  },
  imagesPruned: { ImagesDeleted: [{ Untagged: 'old:latest' }, { Deleted: `sha256:${'d'.repeat(64)}` }], SpaceReclaimed: 987654321 },
  history: [
    { Comment: 'buildkit.dockerfile.v0', Created: CREATED, CreatedBy: 'CMD ["sh"]', Id: IMAGE_ID, Size: 0, Tags: ['busybox:latest'] },
    {
      Comment: '',
      Created: CREATED - 86400 * 30,
      CreatedBy: '/bin/sh -c #(nop) ADD file:aad4290d27580cc1a094ffaf98c3ca2fc5d699fe695dfb8e6e9fac20f1129450 in / ',
      Id: '<missing>',
      Size: 4269678,
      Tags: null,
    },
  ],
  volumes,
  networks: [network('bridge', 'b', 'bridge'), network('host', 'd', 'host'), network('none', 'e', 'null')],
  version: VERSION,
  info: INFO,
  events: EVENTS,
  stats: STATS,
  top: {
    Titles: ['UID', 'PID', 'PPID', 'C', 'STIME', 'TTY', 'TIME', 'CMD'],
    Processes: [
      ['root', '4242', '4200', '0', '07:08', '?', '00:00:00', 'sh -c while true; do sleep 1; done'],
      ['root', '4250', '4242', '0', '07:09', '?', '00:00:00', 'sleep 1'],
    ],
  },
  changes: [
    { Path: '/etc', Kind: 0 },
    { Path: '/etc/new', Kind: 1 },
    { Path: '/tmp/gone', Kind: 2 },
  ],
  diskUsage: {
    LayersSize: 127726467,
    Images: [
      { ...images[0], SharedSize: 0, Containers: 1 },
      { ...images[1], SharedSize: 0, Containers: 0 },
    ],
    Containers: [
      { ...containers[0], SizeRw: 12345, SizeRootFs: 4567890 },
      { ...containers[1], SizeRw: 2048, SizeRootFs: 99999 },
    ],
    Volumes: volumes.map((volume, at) => ({ ...volume, UsageData: { Size: at * 1000, RefCount: at % 2 } })),
    BuildCache: [],
  },
}
