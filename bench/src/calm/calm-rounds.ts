import { spreadOf } from '../statistics.ts';
import type { Disturbance } from './machine-watch.ts';

/** What other guests may take of the processors in a round that is calm, from 0 to 1. */
const stolenShareMax = 0.05;

/** A kind of measurement, of which a round has one. */
export interface CalmKind<Round> {
  /** How long a small write may take in a round that is calm; left out where the disk has no part in what is measured, or a small one. */
  readonly writeMsMax?: number;
  disturbanceOf(round: Round): Disturbance;
}

/** How many rounds are wanted that were calm, and how many are measured at most: where the machine is never calm, an answer is still wanted. */
export interface RoundCounts {
  readonly wanted: number;
  readonly atMost: number;
}

/** The part of the wanted rounds that count at least, calm or not. */
const leastPart = 1 / 4;

/**
 * Measures until of each kind enough rounds were calm: on a machine that shares its host, others decide about some rounds. What makes one count
 * is what the kernel and the disk say, never what was measured.
 */
export async function measureUntilCalm<Round>(
  { wanted, atMost }: RoundCounts,
  kinds: readonly CalmKind<Round>[],
  measureRound: (round: number) => Promise<Round>,
): Promise<Round[]> {
  const rounds: Round[] = [];
  const isEnough = (kind: CalmKind<Round>): boolean => rounds.filter((round) => unrestOf(kind, round) <= 1).length >= wanted;
  while (rounds.length < atMost && !kinds.every(isEnough)) {
    rounds.push(await measureRound(rounds.length));
  }
  return rounds;
}

/** Rounds that count, and those that others disturbed too much; both in the order in which they were measured. */
export interface SortedRounds<Round> {
  readonly counting: readonly Round[];
  readonly leftOut: readonly Round[];
}

/** The calmest of the rounds that were calm count, as many as wanted; without enough of them also some of the others. */
export function sortOut<Round>(rounds: readonly Round[], wanted: number, kind: CalmKind<Round>): SortedRounds<Round> {
  const byUnrest = rounds.toSorted((a, b) => unrestOf(kind, a) - unrestOf(kind, b)).slice(0, wanted);
  const calm = byUnrest.filter((round) => unrestOf(kind, round) <= 1).length;
  const counting = new Set(byUnrest.slice(0, Math.max(calm, Math.ceil(wanted * leastPart))));
  return { counting: rounds.filter((round) => counting.has(round)), leftOut: rounds.filter((round) => !counting.has(round)) };
}

/** Says which rounds count, and what the machine did in them and in the others. */
export function describeSorted<Round>({ counting, leftOut }: SortedRounds<Round>, kind: CalmKind<Round>): string {
  if (leftOut.length === 0) {
    return `All ${counting.length} rounds: ${factsOf(counting, kind)}.`;
  }
  const which = `${counting.length} of ${counting.length + leftOut.length} rounds, in which others disturbed the machine least`;
  return `${which}: ${factsOf(counting, kind)}; in the ${leftOut.length} left out ${factsOf(leftOut, kind)}.`;
}

function factsOf<Round>(rounds: readonly Round[], { writeMsMax, disturbanceOf }: CalmKind<Round>): string {
  const disturbances = rounds.map(disturbanceOf);
  const stolen = rangeOf(disturbances.map(({ stolenShare }) => stolenShare * 100));
  const writes = rangeOf(disturbances.map(({ slowestWriteMs }) => slowestWriteMs));
  const ofDisk = writeMsMax === undefined ? '' : `, and the slowest of a round's writes of 8 KiB took ${writes} ms to reach the disk`;
  return `other guests of its host took ${stolen} % of the processors' time${ofDisk}`;
}

function rangeOf(values: readonly number[]): string {
  const { min, max } = spreadOf(values);
  return `${Math.round(min)} to ${Math.round(max)}`;
}

/** How far a round is from calm: above 1 it is not. */
function unrestOf<Round>({ writeMsMax = Number.POSITIVE_INFINITY, disturbanceOf }: CalmKind<Round>, round: Round): number {
  const { stolenShare, slowestWriteMs } = disturbanceOf(round);
  return Math.max(stolenShare / stolenShareMax, slowestWriteMs / writeMsMax);
}

/** The worst of several measurements. */
export function worstOf(disturbances: readonly Disturbance[]): Disturbance {
  return {
    stolenShare: Math.max(...disturbances.map(({ stolenShare }) => stolenShare)),
    slowestWriteMs: Math.max(...disturbances.map(({ slowestWriteMs }) => slowestWriteMs)),
  };
}
