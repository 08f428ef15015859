import { internal } from '#errors'

/** Texts of a root file system's user database; empty where the file is missing. */
export interface UserFiles {
  passwd: string
  group: string
}

export interface ResolvedUser {
  uid: number
  gid: number
  additionalGids: number[]
  /** Becomes HOME where the environment has none. */
  home: string
}

const LARGEST_ID = 2147483647

interface Row {
  name: string
  id: number
  rest: string[]
}

/** Lines of passwd(5) or group(5) as name, numeric third field, and what follows. Comments and broken lines are skipped. */
function* rows(text: string): Generator<Row> {
  for (const line of text.split('\n')) {
    if (line === '' || line.startsWith('#')) continue
    const [name = '', , id = '', ...rest] = line.trim().split(':')
    yield { name, id: number(id) ?? 0, rest }
  }
}

function number(text: string): number | undefined {
  return /^[+-]?\d+$/.test(text) ? Number(text) : undefined
}

function inRange(id: number): number {
  if (id < 0 || id > LARGEST_ID) throw internal(`uids and gids must be in range 0-${LARGEST_ID}`)
  return id
}

/**
 * `user[:group]` by name or number, as Docker's `--user` reads it. An empty user is uid 0 with root's supplementary groups. Numbers need no
 * entry. `groupAdd`: `--group-add`. Throws INTERNAL (as Docker: status 500) for unknown names. Source: moby/sys user, GetExecUser.
 */
export function lookUpUser(files: UserFiles, spec: string, groupAdd: readonly string[] = []): ResolvedUser {
  const [userArg = '', groupArg = ''] = spec.split(':')
  const uidArg = userArg === '' ? 0 : number(userArg)
  const gidArg = number(groupArg)
  let user: ResolvedUser = { uid: uidArg ?? 0, gid: 0, additionalGids: [], home: '/' }
  let matched = ''
  for (const { name, id, rest } of rows(files.passwd)) {
    if (uidArg === undefined ? name !== userArg : id !== uidArg) continue
    matched = name
    user = { uid: id, gid: number(rest[0] ?? '') ?? 0, additionalGids: [], home: rest[2] ?? '' }
    break
  }
  if (matched === '' && userArg !== '') {
    if (uidArg === undefined) throw internal(`unable to find user ${userArg}: no matching entries in passwd file`)
    inRange(uidArg)
  }
  if (groupArg !== '') {
    const found = [...rows(files.group)].find(({ name, id }) => (gidArg === undefined ? name === groupArg : id === gidArg))
    if (found === undefined && gidArg === undefined) throw internal(`unable to find group ${groupArg}: no matching entries in group file`)
    user.gid = found?.id ?? inRange(gidArg ?? 0)
  } else if (matched !== '') {
    for (const { id, rest } of rows(files.group)) if ((rest[0] ?? '').split(',').includes(matched)) user.additionalGids.push(id)
  }
  for (const group of groupAdd) {
    const found = [...rows(files.group)].find(({ name, id }) => name === group || String(id) === group)
    const gid = found?.id ?? number(group)
    if (gid === undefined) throw internal(`Unable to find group ${group}`)
    user.additionalGids.push(inRange(gid))
  }
  return user
}
