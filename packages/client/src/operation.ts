/** What is said of an operation over the wire; made from the OpenAPI document. */
export interface Operation {
  readonly method: string;
  /** Below `/api/v1`, with its parameters in braces. */
  readonly path: string;
  /** The names of what goes into the query. */
  readonly query: readonly string[];
  /** Whether the rest of the input is the body, or its member `body` is. */
  readonly body: 'none' | 'members' | 'whole';
  /** The statuses that answer in the documented shape; everything else is a failure. */
  readonly statuses: readonly number[];
  readonly answer: 'list' | 'object' | 'nothing';
  /** The member of the answer that holds the rows of a page; null when the answer is the list itself. */
  readonly rows: string | null;
  /** Whether sending it again does no harm when it was done the first time. */
  readonly isRepeatable: boolean;
}
