import { z } from 'zod';
import { type CommandGroup, defineCommand, field } from '../command.ts';
import { idArgument, organization, wholeLimit } from '../fields.ts';
import { membersOf } from '../http/api.ts';

/** Applications: whose events are whose. */
export const applications: CommandGroup = {
  name: 'applications',
  summary: 'Applications, which own events and subscriptions',
  commands: [
    defineCommand({
      name: 'list',
      summary: 'Lists the applications of an organization',
      examples: ['applications list --organization <id>'],
      fields: { organization, limit: wholeLimit },
      async run({ api, output, organizationId }, input) {
        const query = { organization_id: organizationId(input.organization) };
        output.list(await api().list('/applications', query, input.limit), [
          { title: 'APPLICATION', path: 'application_id' },
          { title: 'NAME', path: 'name', kind: 'text' },
          { title: 'ORGANIZATION', path: 'organization_id', kind: 'extra' },
        ]);
      },
    }),
    defineCommand({
      name: 'create',
      summary: 'Creates an application and its first secret',
      examples: ['applications create Shop --organization <id>'],
      fields: { name: field(z.string(), '<name>', 'what it is called'), organization },
      async run({ api, output, organizationId }, input) {
        const post = { organization_id: organizationId(input.organization), name: input.name };
        const created = await api().post('/applications', post);
        output.record(created, { isNew: true });
        const id = String(membersOf(created)['application_id']);
        output.note(`Its first secret: postrider secrets list --show-secrets --application ${id}`);
      },
    }),
    defineCommand({
      name: 'delete',
      summary: 'Deletes an application and ends its deliveries',
      examples: ['applications delete <application>'],
      fields: { application: idArgument('application', 'the application') },
      async run({ api, output }, { application }) {
        await api().delete(`/applications/${application}`);
        output.done(`Deleted application ${application}.`, { application_id: application, is_deleted: true });
      },
    }),
  ],
};
