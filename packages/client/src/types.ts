import type { components, operations } from './generated/schema.ts';

/** Every shape of the API by its name in the OpenAPI document: `Schemas['Subscription']`. */
export type Schemas = components['schemas'];

/** What can go wrong, as the API names it: a closed set. */
export type ProblemId = Schemas['ProblemId'];

/** The name of an operation in the OpenAPI document, such as `subscriptions.create`. */
export type OperationId = keyof operations;

/** What an operation takes: its path, query and body in one object. */
export type Input<Id extends OperationId> = Simplify<
  OrNothing<operations[Id]['parameters']['path']> & OrNothing<operations[Id]['parameters']['query']> & BodyOf<operations[Id]>
>;

/** What an operation answers when it succeeds. */
export type Answer<Id extends OperationId> = {
  [Status in keyof operations[Id]['responses']]: operations[Id]['responses'][Status] extends {
    content: { 'application/json': infer Body };
  }
    ? Body
    : void;
}[keyof operations[Id]['responses']];

/** What the pages of a list are made of: the rows themselves, or those in the one list that the answer has. */
export type Row<Id extends OperationId> = RowOf<Answer<Id>>;

type RowOf<Body> = Body extends readonly (infer Item)[] ? Item : Extract<Body[keyof Body], readonly unknown[]>[number];

type BodyOf<Operation> = Operation extends { requestBody?: { content: { 'application/json': infer Body } } }
  ? Body extends readonly unknown[]
    ? { body: Body }
    : Body
  : unknown;

/** A parameter list that the document leaves out comes as `never`, which would make everything it is joined with `never`. */
type OrNothing<Parameters> = [NonNullable<Parameters>] extends [never] ? unknown : NonNullable<Parameters>;

/** One object instead of an intersection: editors show what it has. */
export type Simplify<Type> = { [Key in keyof Type]: Type[Key] };
