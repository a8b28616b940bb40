/** What an action throws, for a look at all of it; undefined when it throws nothing. */
export function failure(action: () => unknown): unknown {
  try {
    action();
    return undefined;
  } catch (error) {
    return error;
  }
}
