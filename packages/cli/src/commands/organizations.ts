import { z } from 'zod';
import { type CommandGroup, defineCommand, field } from '../command.ts';
import { idOption, wholeLimit } from '../fields.ts';

/** Organizations, which own applications. */
export const organizations: CommandGroup = {
  name: 'organizations',
  summary: 'Organizations, which own applications',
  commands: [
    defineCommand({
      name: 'list',
      summary: 'Lists the organizations that the token may see',
      examples: ['organizations list'],
      fields: { limit: wholeLimit },
      async run({ api, output }, { limit }) {
        output.list(await api().list('/organizations', {}, limit), [
          { title: 'ORGANIZATION', path: 'organization_id' },
          { title: 'NAME', path: 'name', kind: 'text' },
          { title: 'ROLE', path: 'role' },
          { title: 'PLAN', path: 'plan' },
        ]);
      },
    }),
    defineCommand({
      name: 'create',
      summary: 'Creates an organization (master key)',
      examples: ['organizations create Acme'],
      fields: { name: field(z.string(), '<name>', 'what it is called'), id: idOption('id', 'the id it gets; one is made otherwise') },
      async run({ api, output }, { name, id }) {
        output.record(await api().post('/organizations', { name, organization_id: id ?? null }), { isNew: true });
      },
    }),
  ],
};
