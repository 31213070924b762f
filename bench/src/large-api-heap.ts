/** Node's flags that docs/scaling.md advises for an API where rates matter more than memory. */
export const largeApiHeap = ['--max-semi-space-size=32', '--heap-growing-percent=300', '--no-parallel-scavenge'];
