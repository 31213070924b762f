import { z } from 'zod';
import { type CommandContext, type CommandGroup, defineCommand, field } from '../command.ts';
import { UsageError } from '../failures.ts';
import { application, textOption, wholeLimit } from '../fields.ts';
import { endingOf } from '../output/hide-secrets.ts';

/** The tokens of applications. */
export const secrets: CommandGroup = {
  name: 'secrets',
  summary: 'Secrets of an application: the tokens it sends events with',
  commands: [
    defineCommand({
      name: 'list',
      summary: 'Lists the secrets of an application by their names and the ends of their tokens',
      examples: ['secrets list', 'secrets list --show-secrets'],
      fields: { application, limit: wholeLimit },
      async run({ api, output, applicationId }, input) {
        const query = { application_id: applicationId(input.application) };
        output.list(await api().list('/application_secrets', query, input.limit), [
          { title: 'TOKEN', path: 'token' },
          { title: 'NAME', path: 'name', kind: 'text' },
          { title: 'CREATED', path: 'created_at' },
        ]);
      },
    }),
    defineCommand({
      name: 'create',
      summary: 'Creates a secret and shows its token',
      examples: ['secrets create --name ci'],
      fields: { application, name: textOption('--name <name>', 'what it is called') },
      async run({ api, output, applicationId }, input) {
        const post = { application_id: applicationId(input.application), name: input.name ?? null };
        output.record(await api().post('/application_secrets', post), { isNew: true });
      },
    }),
    defineCommand({
      name: 'delete',
      summary: 'Deletes a secret: it is refused from then on',
      examples: ['secrets delete ci', 'secrets delete 9d2b11', 'secrets delete - < token.txt'],
      fields: {
        secret: field(
          z.string(),
          '<secret>',
          'its name, the end of its token as the list shows it, or - to read the token from standard input',
        ),
        application,
      },
      async run(context, input) {
        const query = { application_id: context.applicationId(input.application) };
        const token = await findToken(context, query, input.secret);
        await context.api().delete(`/application_secrets/${encodeURIComponent(token)}`, query);
        context.output.done(`Deleted the secret ${endingOf(token)}.`, { token: endingOf(token), is_deleted: true });
      },
    }),
  ],
};

/** A token has no business on a command line, where every process of the machine can read it: the list knows it by less. */
async function findToken(context: CommandContext, query: { readonly application_id: string }, given: string): Promise<string> {
  const wanted = given === '-' ? (await context.readInput('-')).toString().trim() : given.replace(/^…/, '');
  if (wanted === '') {
    throw new UsageError('Which secret? Standard input has none.');
  }
  const { rows } = await context.api().list('/application_secrets', query, Number.MAX_SAFE_INTEGER);
  const found = rows.filter(({ name, token }) => name === wanted || (wanted.length >= 6 && String(token).endsWith(wanted)));
  const [secret] = found;
  if (secret === undefined) {
    throw new UsageError('The application has no secret of this name or with this end: `postrider secrets list` has them.');
  }
  if (found.length > 1) {
    throw new UsageError(`${found.length} secrets are meant by this: give the end of the token (at least 6 characters).`);
  }
  return String(secret['token']);
}
