/** BuildKit's text for a program that was not carried out as it should. `reason`: `exit code: 3`. */
export function failureText(args: readonly string[], reason: string): string {
  return `process ${JSON.stringify(args.join(' '))} did not complete successfully: ${reason}`
}
