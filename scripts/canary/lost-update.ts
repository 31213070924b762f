let sum = 0;

async function next(): Promise<number> {
  return 1;
}

export async function add(): Promise<number> {
  sum += await next();
  return sum;
}
