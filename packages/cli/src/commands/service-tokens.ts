import { z } from 'zod';
import { type CommandGroup, defineCommand, field } from '../command.ts';
import { choiceOption, durationOption, idArgument, idsOption, organization, textsOption, wholeLimit } from '../fields.ts';

/** Tokens of an organization. */
export const serviceTokens: CommandGroup = {
  name: 'service-tokens',
  summary: 'Service tokens: tokens of an organization',
  commands: [
    defineCommand({
      name: 'list',
      summary: 'Lists the service tokens of an organization',
      examples: ['service-tokens list'],
      fields: { organization, limit: wholeLimit },
      async run({ api, output, organizationId }, input) {
        const query = { organization_id: organizationId(input.organization) };
        output.list(await api().list('/service_token', query, input.limit), [
          { title: 'TOKEN ID', path: 'token_id' },
          { title: 'NAME', path: 'name', kind: 'text' },
          { title: 'ROLE', path: 'role' },
          { title: 'EXPIRES', path: 'expires_at' },
          { title: 'CREATED', path: 'created_at', kind: 'extra' },
        ]);
      },
    }),
    defineCommand({
      name: 'create',
      summary: 'Creates a service token and shows it',
      examples: [
        'service-tokens create deploy --role editor --expires-in 90d',
        'service-tokens create look --role viewer --application <id>',
      ],
      fields: {
        name: field(z.string(), '<name>', 'what it is called'),
        organization,
        role: choiceOption('--role <role>', ['editor', 'viewer'], 'what it may do'),
        application: idsOption('application', 'only this application; can be repeated'),
        action: textsOption('--action <action>', 'only this action, such as events.ingest'),
        expiresIn: durationOption('--expires-in <duration>', 'when it ends; never otherwise'),
      },
      async run({ api, output, organizationId }, input) {
        const { name, role, application, action, expiresIn } = input;
        const post = {
          organization_id: organizationId(input.organization),
          name,
          ...(role === undefined ? {} : { role }),
          ...(application.length === 0 ? {} : { application_ids: application }),
          ...(action.length === 0 ? {} : { actions: action }),
          ...(expiresIn === undefined ? {} : { expires_at: new Date(Date.now() + expiresIn).toISOString() }),
        };
        output.record(await api().post('/service_token', post), { isNew: true });
      },
    }),
    defineCommand({
      name: 'delete',
      summary: 'Deletes a service token: it is refused from then on',
      examples: ['service-tokens delete <token-id>'],
      fields: { tokenId: idArgument('token-id', 'its id, as the list shows it'), organization },
      async run({ api, output, organizationId }, input) {
        await api().delete(`/service_token/${input.tokenId}`, { organization_id: organizationId(input.organization) });
        output.done(`Deleted service token ${input.tokenId}.`, { token_id: input.tokenId, is_deleted: true });
      },
    }),
  ],
};
