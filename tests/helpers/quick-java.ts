/**
 * What to set `JAVA_TOOL_OPTIONS` to for Java that lives for minutes: its optimising compiler would take more time than it saves.
 *
 * @param given - options that count beside
 */
export function quickJavaOptions(given = process.env.JAVA_TOOL_OPTIONS ?? ''): string {
  return `-XX:TieredStopAtLevel=1 ${given}`.trim();
}
