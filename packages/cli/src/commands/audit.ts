import { z } from 'zod';
import { type Command, type CommandGroup, defineCommand, field } from '../command.ts';
import { idOption, limit, organization, textOption, timeOption } from '../fields.ts';

const passedArguments = field(z.array(z.string()).default([]), '[arguments...]', 'what the program takes');

/** The append-only audit log. */
export const audit: CommandGroup = {
  name: 'audit',
  summary: 'The audit log: who changed what',
  commands: [
    defineCommand({
      name: 'list',
      summary: 'Lists what was changed, newest first',
      examples: ['audit list --since 7d'],
      fields: {
        organization,
        since: timeOption('--since <time>', 'from when on'),
        until: timeOption('--until <time>', 'until when'),
        action: textOption('--action <action>', 'only this action, such as subscriptions.create'),
        application: idOption('application', 'only changes of this application'),
        limit,
      },
      async run({ api, output, organizationId }, input) {
        const { since, until, action, application } = input;
        const query = { organization_id: organizationId(input.organization), since, until, action, application_id: application };
        output.list(await api().list('/audit_log', query, input.limit), [
          { title: 'ENTRY', path: 'sequence' },
          { title: 'WHEN', path: 'recorded_at' },
          { title: 'WHO', path: 'actor.kind' },
          { title: 'WHAT', path: 'action' },
          { title: 'ON', path: 'target.kind', kind: 'text' },
          { title: 'ID', path: 'target.id', kind: 'extra' },
        ]);
      },
    }),
    defineCommand({
      name: 'verify',
      summary: 'Checks in the database that the log is whole (needs DATABASE_URL, not the API)',
      examples: ['audit verify', 'audit verify <organization> <sequence:hash kept elsewhere>'],
      fields: { arguments: passedArguments },
      passesOptions: true,
      run: ({ runProgram }, input) => runProgram('verify-audit-cli', input.arguments),
    }),
  ],
};

export const rotateKey: Command = defineCommand({
  name: 'rotate-key',
  summary: 'Seals all secrets in the database with a new key (needs DATABASE_URL, not the API)',
  examples: ['rotate-key'],
  fields: { arguments: passedArguments },
  passesOptions: true,
  run: ({ runProgram }, input) => runProgram('rotate-key-cli', input.arguments),
});
