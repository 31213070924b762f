/** What reading one setting gave. */
export type ParsedSetting<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly wants: string };

/** A setting, declared once: what is read, its default and its documentation. */
export interface Setting<T> {
  /** The environment variable; the flag is the same name in lower case with hyphens. */
  readonly name: string;
  readonly group: string;
  readonly description: string;
  /** What stands in documentation and `--help` for the default; null when the setting is required. */
  readonly defaultText: string | null;
  /** Kept out of logs and errors. */
  readonly sensitive: boolean;
  /** Whether an empty value says something; otherwise it counts as unset. */
  readonly emptyIsSet: boolean;
  readonly parse: (raw: string) => ParsedSetting<T>;
  /** The value when nothing is given; undefined when the setting is required. */
  readonly fallback: { readonly value: T } | undefined;
  /** How the effective value reads in the log line at start. A method, so that settings of all types fit in one record. */
  show(value: T): unknown;
}

export type Settings = Readonly<Record<string, Setting<unknown>>>;

/** The values of a set of declarations, by the same keys. */
export type ValuesOf<S> = { readonly [K in keyof S]: S[K] extends Setting<infer T> ? T : never };

/** One setting that cannot be used as given. */
export interface SettingProblem {
  readonly name: string;
  /** What was given, masked where it is sensitive; null when nothing was. */
  readonly got: string | null;
  readonly wants: string;
}

export interface SettingSources {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** By flag name without hyphens in front; a flag beats the environment. */
  readonly flags?: Readonly<Record<string, string | undefined>>;
}

export type LoadedSettings<S> =
  | { readonly ok: true; readonly values: ValuesOf<S> }
  | { readonly ok: false; readonly problems: SettingProblem[] };

/** `MAX_FAST_RETRIES` as a flag: `max-fast-retries`. */
export function flagName(envName: string): string {
  return envName.toLowerCase().replaceAll('_', '-');
}

/** Reads all settings and finds every problem, not only the first. */
export function loadSettings<S extends Settings>(declarations: S, sources: SettingSources): LoadedSettings<S> {
  const problems: SettingProblem[] = [];
  const values: Record<string, unknown> = {};
  for (const [key, setting] of Object.entries(declarations)) {
    const given = sources.flags?.[flagName(setting.name)] ?? sources.env[setting.name];
    const raw = given === '' && !setting.emptyIsSet ? undefined : given?.trim();
    if (raw === undefined) {
      if (setting.fallback) {
        values[key] = setting.fallback.value;
      } else {
        const parsed = setting.parse('');
        problems.push({ name: setting.name, got: null, wants: parsed.ok ? setting.description : parsed.wants });
      }
      continue;
    }
    const parsed = setting.parse(raw);
    if (parsed.ok) {
      values[key] = parsed.value;
    } else {
      problems.push({ name: setting.name, got: setting.sensitive ? '(hidden)' : raw, wants: parsed.wants });
    }
  }
  return problems.length === 0 ? { ok: true, values: asValuesOf<S>(values) } : { ok: false, problems };
}

/** The loop above gives every key the type that its declaration parses to, which the compiler cannot follow through a record. */
function asValuesOf<S>(values: Record<string, unknown>): ValuesOf<S> {
  return Object.freeze(values) as ValuesOf<S>;
}

/** Lines that tell an operator everything that is wrong at once. */
export function describeProblems(problems: readonly SettingProblem[]): string[] {
  return problems.map(({ name, got, wants }) => `${name}: ${got === null ? 'is missing' : `got ${JSON.stringify(got)}`}; wanted: ${wants}`);
}

/** The effective values for the log line at start, secrets masked. */
export function describeEffective<S extends Settings>(declarations: S, values: ValuesOf<S>): Record<string, unknown> {
  const byKey: Readonly<Record<string, unknown>> = values;
  return Object.fromEntries(
    Object.entries(declarations).map(([key, setting]) => {
      const value = byKey[key] ?? null;
      return [setting.name, value === null ? null : setting.sensitive ? '(hidden)' : setting.show(value)];
    }),
  );
}
