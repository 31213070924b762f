/** A step of getting started. */
export function stepOf(isDone: boolean): 'Done' | 'ToDo' {
  return isDone ? 'Done' : 'ToDo';
}
