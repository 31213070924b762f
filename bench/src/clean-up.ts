import type { ManagedProcess } from '@postrider/testkit/child-process';

/** Called with what ends something that was started. */
export type Defer = (end: () => Promise<unknown>) => void;

/** Ends what the work started, the last first, also when the work or one of the ends fails. */
export async function withCleanUp<T>(work: (defer: Defer) => Promise<T>): Promise<T> {
  const ends: (() => Promise<unknown>)[] = [];
  try {
    return await work((end) => void ends.push(end));
  } finally {
    for (const end of ends.toReversed()) {
      await end().catch((error: unknown) => process.stderr.write(`cleaning up: ${String(error)}\n`));
    }
  }
}

/** Ends a process in order. */
export async function stopProcess(managed: ManagedProcess): Promise<void> {
  managed.kill('SIGTERM');
  await managed.waitForExit();
}
