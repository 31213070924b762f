import { type CommandGroup, defineCommand } from '../command.ts';
import { application, flag, idArgument } from '../fields.ts';
import { membersOf } from '../http/api.ts';

/** What receivers answered. */
export const responses: CommandGroup = {
  name: 'responses',
  summary: 'What receivers answered',
  commands: [
    defineCommand({
      name: 'get',
      summary: 'Reads what a receiver answered, or why it could not be asked',
      examples: ['responses get <response>', 'responses get <response> --body'],
      fields: { response: idArgument('response', 'the response, as attempts show it'), application, body: flag('--body', 'only its body') },
      async run({ api, output, applicationId }, input) {
        const response = await api().get(`/responses/${input.response}`, { application_id: applicationId(input.application) });
        if (output.isJson) {
          output.record(response);
          return;
        }
        if (!input.body) {
          output.record(response, { leaveOut: ['body'] });
          output.note('');
        }
        const { body } = membersOf(response);
        output.text(typeof body === 'string' ? body : '');
      },
    }),
  ],
};
