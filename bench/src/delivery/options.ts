import { InvalidArgumentError } from 'commander';
import { type ContenderName, contenderNames } from './contenders.ts';
import type { DeliveryBenchOptions } from './delivery.ts';

/** The options of the command that were given. */
export interface DeliveryFlags {
  readonly quick?: boolean;
  readonly attempts?: number;
  readonly concurrent?: readonly number[];
  readonly slow?: readonly number[];
  readonly rounds?: number;
  readonly contenders?: readonly ContenderName[];
}

type Choices = Omit<DeliveryBenchOptions, 'print'>;

const full: Choices = {
  attempts: 25_000,
  concurrencies: [20, 100],
  slowConcurrencies: [100, 1000],
  rounds: 10,
  contenders: contenderNames,
};

/** Says whether everything works and about where it stands; too short for figures to keep. */
const quick: Choices = {
  attempts: 4000,
  concurrencies: [100],
  slowConcurrencies: [100],
  rounds: 1,
  contenders: ['bare', 'worker', 'row-by-row'],
};

export function deliveryChoices(flags: DeliveryFlags): Choices {
  const defaults = flags.quick === true ? quick : full;
  return {
    attempts: flags.attempts ?? defaults.attempts,
    concurrencies: flags.concurrent ?? defaults.concurrencies,
    slowConcurrencies: flags.slow ?? defaults.slowConcurrencies,
    rounds: flags.rounds ?? defaults.rounds,
    contenders: flags.contenders ?? defaults.contenders,
  };
}

export function readCount(text: string): number {
  const count = Number(text);
  if (!Number.isInteger(count) || count < 1) {
    throw new InvalidArgumentError('It is a whole number from 1 on.');
  }
  return count;
}

/** Numbers separated by commas; none when the text is empty. */
export function readCounts(text: string): number[] {
  return text === '' ? [] : text.split(',').map(readCount);
}

export function readContenders(text: string): ContenderName[] {
  return text.split(',').map((wanted) => {
    const name = contenderNames.find((known) => known === wanted);
    if (!name) {
      throw new InvalidArgumentError(`They are ${contenderNames.join(', ')}.`);
    }
    return name;
  });
}
