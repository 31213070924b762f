/** So many names in a row without an answer are no coincidence. */
const failingNamesMin = 3;
/** With fewer known names it is all of them, and two at least: of a single one nobody can tell whose fault it is. */
const failingNamesMinOfFew = 2;
/** Names that were answered, to ask again when others are not. */
const answeredNamesMax = 8;
/** Asked again at a time: with the name that was not answered they make up the number above. */
const controlNamesMax = 2;
/** More are not counted: the judgement is long made. */
const failingNamesMax = 64;

export interface ResolverHealth {
  /** Name servers answered for a name; that it does not exist is an answer too. */
  noteAnswer(hostname: string): void;
  /** They did not, or said that they could not find out. */
  noteFailure(hostname: string): void;
  /** How many answers there were. When it has grown while a name went unanswered, that is not for all names. */
  answers(): number;
  /** Names that were answered before and may tell whether name servers still answer at all. */
  controlNames(): string[];
  /** Whether name servers fail as a whole, and not for the name that was asked for. */
  hasFailed(): boolean;
}

/**
 * Judges whether it is our name servers that fail, which is no fault of any receiver, or the domain of one receiver. From one failed
 * look-up it does not show: a name server that cannot reach the internet says the same as one that cannot reach the servers of a broken
 * domain. So it counts the names that went unanswered since anything was answered, among them names that were answered before.
 */
export function createResolverHealth(): ResolverHealth {
  // From the one that was answered longest ago to the one that was answered last.
  const answered = new Set<string>();
  const failing = new Set<string>();
  let answers = 0;

  return {
    noteAnswer(hostname) {
      answers += 1;
      failing.clear();
      answered.delete(hostname);
      answered.add(hostname);
      const [oldest] = answered;
      if (answered.size > answeredNamesMax && oldest !== undefined) {
        answered.delete(oldest);
      }
    },
    noteFailure(hostname) {
      if (failing.size < failingNamesMax) {
        failing.add(hostname);
      }
    },
    answers: () => answers,
    controlNames() {
      const zones = new Set([...failing].map(zoneOf));
      const candidates = [...answered].toReversed().filter((name) => !failing.has(name));
      // Names of another zone first: the broken domain of one customer may have many names.
      const others = candidates.filter((name) => !zones.has(zoneOf(name)));
      return [...others, ...candidates.filter((name) => zones.has(zoneOf(name)))].slice(0, controlNamesMax);
    },
    hasFailed() {
      const known = new Set([...answered, ...failing]).size;
      return failing.size >= Math.min(failingNamesMin, Math.max(failingNamesMinOfFew, known));
    },
  };
}

/** The last two labels: mostly what somebody registered. */
function zoneOf(hostname: string): string {
  return hostname.split('.').slice(-2).join('.');
}
