import { snapshotterContract } from '../../contract/snapshotter.ts'
import { openStorage } from './storage.ts'

snapshotterContract('createOverlaySnapshotter', openStorage)
