/** One value for one file of a cgroup directory: what the controllers' files compute and plans and updates write. */
export interface Setting {
  file: string
  value: string
  /** The file may be missing or refuse: the user has been warned when the container was made, or a second file serves the same end. */
  optional?: true
}

/** `max` for -1, as cgroup v2 spells "no limit". */
export function orMax(limit: number): string {
  return limit === -1 ? 'max' : String(limit)
}
