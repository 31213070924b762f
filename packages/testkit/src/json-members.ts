/** The members of a JSON object, none of anything else. */
export function membersOf(value: unknown): [string, unknown][] {
  return typeof value === 'object' && value !== null ? Object.entries(value) : [];
}

/** What is at the end of these steps into a JSON value; undefined where one of them leads nowhere. */
export function at(value: unknown, ...steps: readonly string[]): unknown {
  let here = value;
  for (const step of steps) {
    here = typeof here === 'object' && here !== null ? Reflect.get(here, step) : undefined;
  }
  return here;
}
