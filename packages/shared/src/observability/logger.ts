import { type DestinationStream, type Logger, pino } from 'pino';

export interface LoggerOptions {
  readonly level: string;
  /** `api` or `worker`. */
  readonly process: string;
  readonly version: string;
  /** Which one of several that share a port; left out where there is one. */
  readonly processNumber?: number;
}

/** JSON lines, one per event, with times in ISO 8601. Nothing that could be a secret is written even when it is handed over. */
export function createLogger(options: LoggerOptions, destination?: DestinationStream): Logger {
  const settings = {
    level: options.level,
    base: {
      process: options.process,
      ...(options.processNumber === undefined ? {} : { processNumber: options.processNumber }),
      version: options.version,
    },
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
    redact: { paths: ['authorization', 'secret', 'token', '*.authorization', '*.secret', '*.token', 'err.config'], censor: '(hidden)' },
  };
  return destination ? pino(settings, destination) : pino(settings);
}
