import { flagName, type Settings } from './settings.ts';

/** The settings as Markdown tables, one per group, in the order of their declaration. */
export function renderSettingsTables(declarations: Settings, options: { readonly flags: boolean }): string {
  const groups = Map.groupBy(Object.values(declarations), ({ group }) => group);
  return [...groups]
    .map(([group, settings]) => {
      const head = options.flags
        ? '| flag | variable | default | meaning |\n|---|---|---|---|'
        : '| variable | default | meaning |\n|---|---|---|';
      const rows = settings.map((setting) => {
        const meaning = `${setting.description}${setting.sensitive ? ' Secret: never logged.' : ''}`;
        const cells = [`\`${setting.name}\``, setting.defaultText === null ? '**required**' : `\`${setting.defaultText}\``, meaning];
        return `| ${(options.flags ? [`\`--${flagName(setting.name)}\``, ...cells] : cells).join(' | ')} |`;
      });
      return `### ${group}\n\n${head}\n${rows.join('\n')}\n`;
    })
    .join('\n');
}
