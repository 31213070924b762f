import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { z } from 'zod';

const pidList = z.array(z.number().int());

/** Notes the processes of this start, for the next one to find when this one is killed. */
export function rememberProcesses(path: string, processes: readonly { readonly pid: number }[]): void {
  writeFileSync(path, JSON.stringify(processes.map(({ pid }) => pid)));
}

/** Ends processes that a killed start left behind. Process ids are given out again, so only programs of ours are ended. */
export function endStaleProcesses(path: string): void {
  if (!existsSync(path)) {
    return;
  }
  const pids = pidList.safeParse(JSON.parse(readFileSync(path, 'utf8')));
  for (const pid of pids.success ? pids.data : []) {
    const commandLine = `/proc/${pid}/cmdline`;
    if (existsSync(commandLine) && /packages\/(api|worker)\/dist\/main\.js/.test(readFileSync(commandLine, 'utf8'))) {
      process.kill(pid, 'SIGKILL');
    }
  }
  rmSync(path);
}
