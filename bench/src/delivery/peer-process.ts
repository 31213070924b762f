/** A contender that is a program of ours around somebody's queue, or around none. */
export interface Peer {
  /** Delivers as many as are in the queue for the phase, again and again; returns the seconds from the first one taken to the last one recorded. */
  deliver(phase: Phase, count: number): Promise<number>;
}

/** Deliveries before the measured ones make compiled code and full caches: what runs for days has them. */
export type Phase = 'warm_up' | 'measured';

/** The arguments of every such program. */
export interface PeerArguments {
  readonly databaseUrl: string;
  readonly url: string;
  readonly concurrent: number;
  readonly warmUp: number;
  readonly deliveries: number;
}

export function peerArguments(): PeerArguments {
  const [databaseUrl = '', url = '', concurrent, warmUp, deliveries] = process.argv.slice(2);
  return { databaseUrl, url, concurrent: Number(concurrent), warmUp: Number(warmUp), deliveries: Number(deliveries) };
}

/** Warms up and says so. Then, whenever it gets SIGUSR2, for which the queue has been filled: delivers, and tells what it took. */
export async function runPeer(peer: Peer, { warmUp, deliveries }: PeerArguments): Promise<void> {
  await peer.deliver('warm_up', warmUp);
  let ordered = nextOrder();
  tell({ event: 'peer.warm' });
  for (let turn = 1; ; turn += 1) {
    await ordered;
    ordered = nextOrder();
    const cpuBefore = process.cpuUsage();
    const seconds = await peer.deliver('measured', deliveries);
    const { user, system } = process.cpuUsage(cpuBefore);
    tell({ event: 'peer.finished', turn, seconds, cpuMicros: user + system, peakMemoryMiB: process.resourceUsage().maxRSS / 1024 });
  }
}

function nextOrder(): Promise<void> {
  return new Promise((resolve) => {
    // A handler of signals alone does not keep a process running.
    const alive = setInterval(() => {}, 60_000);
    process.once('SIGUSR2', () => {
      clearInterval(alive);
      resolve();
    });
  });
}

function tell(line: object): void {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}
