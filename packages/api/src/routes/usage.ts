/** How a limit that does not exist is written: the largest number that clients of 32 bits read. */
export const unlimited = 2_147_483_647;

/** A step of getting started. */
export function stepOf(isDone: boolean): 'Done' | 'ToDo' {
  return isDone ? 'Done' : 'ToDo';
}
