/** `$1`, `${1}`, `$name`: a group, empty where there is none; `$$`: a dollar. Source: Go's regexp, Regexp.Expand. */
export function expandTemplate(template: string, groups: Readonly<Record<string, string | undefined>>): string {
  return template.replace(/\$(?:\$|\{(\w+)\}|(\w+))/g, (found, braced: string | undefined, bare: string | undefined) => {
    const name = braced ?? bare
    return name === undefined ? (found === '$$' ? '$' : found) : (groups[name] ?? '')
  })
}
