import { flagName, type Setting, type Settings } from '@postrider/shared/config/settings';
import { z } from 'zod';
import { defineRoute, type Route } from '../http/route.ts';
import { environmentVariableView } from '../schemas/instance.ts';

type EnvironmentVariable = z.output<typeof environmentVariableView>;

/** The settings of an installation, as they are declared: never what they are set to. */
export function environmentVariableRoutes(declared: { readonly api: Settings; readonly worker: Settings }): Route[] {
  const body = [
    ...Object.values(declared.api).map((setting) => view(setting, setting.group)),
    ...Object.values(declared.worker)
      .filter((setting) => !isSharedWith(declared.api, setting))
      .map((setting) => view(setting, `Worker: ${setting.group}`)),
  ];
  return [
    defineRoute({
      name: 'environment_variables.list',
      summary: 'Lists the settings of the API and of the workers',
      method: 'get',
      path: '/environment_variables',
      access: 'public',
      answer: { status: 200, schema: z.array(environmentVariableView) },
      async handle() {
        return { status: 200, body };
      },
    }),
  ];
}

/** A setting that both processes take alike is listed once. */
function isSharedWith(settings: Settings, { name, defaultText, description }: Setting<unknown>): boolean {
  return Object.values(settings).some(
    (other) => other.name === name && other.defaultText === defaultText && other.description === description,
  );
}

function view(setting: Setting<unknown>, group: string): EnvironmentVariable {
  return {
    name: flagName(setting.name),
    env_var: setting.name,
    description: setting.description,
    default: setting.defaultText === 'unset' ? null : setting.defaultText,
    group,
    sensitive: setting.sensitive,
    required: setting.fallback === undefined,
  };
}
