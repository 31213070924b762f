import { readdirSync, readFileSync } from 'node:fs';

/** Clock ticks per second of /proc: 100 on every Linux that Node runs on (USER_HZ). */
const ticksPerSecond = 100;

/** CPU seconds of a process, threads included. Linux only. */
export function processCpuSeconds(pid: number): number {
  const fields = statFields(pid);
  return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond;
}

/** CPU seconds of a process, its living children, and those of its children that have ended. */
export function treeCpuSeconds(pid: number): number {
  const own = statFields(pid);
  const ended = (Number(own[13]) + Number(own[14])) / ticksPerSecond;
  const children = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((name) => parentOf(Number(name)) === pid);
  return processCpuSeconds(pid) + ended + children.reduce((sum, child) => sum + cpuOrNothing(Number(child)), 0);
}

/** What the processors of this machine did since it started, all together, in seconds. */
export interface ProcessorSeconds {
  readonly busy: number;
  readonly idle: number;
  /** Went to other guests of the same host while somebody here wanted it. */
  readonly stolen: number;
}

export function processorSeconds(): ProcessorSeconds {
  const [line = ''] = readFileSync('/proc/stat', 'utf8').split('\n', 1);
  // "cpu" and two spaces, then these in ticks (proc(5)); what guests of this machine use is counted as user and nice, too.
  const [user = 0, nice = 0, system = 0, idle = 0, iowait = 0, irq = 0, softirq = 0, steal = 0] = line.split(' ').slice(2).map(Number);
  return {
    busy: (user + nice + system + irq + softirq) / ticksPerSecond,
    idle: (idle + iowait) / ticksPerSecond,
    stolen: steal / ticksPerSecond,
  };
}

/** CPU seconds that everybody on this machine used since it started, and those that others on its host took from it. */
export function machineCpuSeconds(): number {
  const { busy, stolen } = processorSeconds();
  return busy + stolen;
}

/** Peak resident memory of a process in MiB. */
export function peakMemoryMiB(pid: number): number {
  const [, kib] = /VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  return Number(kib) / 1024;
}

/** The fields of /proc/pid/stat after the command, which is in parentheses and may contain spaces (proc(5)). */
function statFields(pid: number): string[] {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
}

function parentOf(pid: number): number | null {
  try {
    return Number(statFields(pid)[1]);
  } catch {
    // It has ended meanwhile.
    return null;
  }
}

function cpuOrNothing(pid: number): number {
  try {
    return processCpuSeconds(pid);
  } catch {
    return 0;
  }
}
