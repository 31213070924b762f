import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { type Answer, decode, encode, type Question, RECURSION_AVAILABLE } from 'dns-packet';

/** What a name server says about a name. */
export type DnsAnswer =
  /** Of both families; a family that has none gets an empty answer. */
  | {
      readonly kind: 'addresses';
      readonly addresses: readonly string[];
      readonly ttlSeconds: number;
      readonly ipv6TtlSeconds?: number;
      /** No word about IPv6: many name servers do so. */
      readonly ipv6Silent?: boolean;
    }
  | { readonly kind: 'no_such_name' }
  /** It could not find out. */
  | { readonly kind: 'server_failure' }
  | { readonly kind: 'refused' }
  | { readonly kind: 'silence' };

export interface DnsServer {
  /** With its port, as resolvers take it. */
  readonly address: string;
  /** How questions for a name are answered, one look-up after the other; the last answer stays. Other names do not exist. */
  answer(name: string, ...answers: readonly DnsAnswer[]): void;
  /** Answers every question like this, whatever its name, until it is called with null. */
  answerAll(answer: DnsAnswer | null): void;
  /** How often the IPv4 addresses of a name were asked for. */
  questions(name: string): number;
  close(): Promise<void>;
}

/** Response codes (RFC 1035, section 4.1.1), which stand in the last four flags. */
const responseCodes = { addresses: 0, server_failure: 2, no_such_name: 3, refused: 5 } as const;

/** A name server on this machine, over UDP, that says what a test tells it to. */
export async function startDnsServer(): Promise<DnsServer> {
  const scripts = new Map<string, readonly DnsAnswer[]>();
  const questions = new Map<string, number>();
  let forAll: DnsAnswer | null = null;
  const socket = createSocket('udp4');

  function next({ type, name }: Question): DnsAnswer {
    const key = `${type} ${name.toLowerCase()}`;
    const asked = questions.get(key) ?? 0;
    questions.set(key, asked + 1);
    const script = scripts.get(name.toLowerCase()) ?? [];
    return forAll ?? script[Math.min(asked, script.length - 1)] ?? { kind: 'no_such_name' };
  }

  socket.on('message', (message, from) => {
    const { id, questions: asked = [] } = decode(message);
    const [question] = asked;
    const answer = question ? next(question) : null;
    const isSilent = answer?.kind === 'silence' || (answer?.kind === 'addresses' && answer.ipv6Silent && question?.type === 'AAAA');
    if (question && answer && answer.kind !== 'silence' && !isSilent) {
      const flags = RECURSION_AVAILABLE | responseCodes[answer.kind];
      const response = encode({
        type: 'response',
        ...(id === undefined ? {} : { id }),
        flags,
        questions: asked,
        answers: recordsOf(question, answer),
      });
      socket.send(response, from.port, from.address);
    }
  });
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');

  return {
    address: `127.0.0.1:${socket.address().port}`,
    answer(name, ...answers) {
      scripts.set(name, answers);
      questions.delete(`A ${name}`);
      questions.delete(`AAAA ${name}`);
    },
    answerAll: (answer) => void (forAll = answer),
    questions: (name) => questions.get(`A ${name}`) ?? 0,
    close: () => new Promise((resolve) => socket.close(resolve)),
  };
}

function recordsOf({ name, type }: Question, answer: DnsAnswer): Answer[] {
  if (answer.kind !== 'addresses' || (type !== 'A' && type !== 'AAAA')) {
    return [];
  }
  return answer.addresses
    .filter((address) => address.includes(':') === (type === 'AAAA'))
    .map((data) => ({ name, type, ttl: (type === 'AAAA' ? answer.ipv6TtlSeconds : undefined) ?? answer.ttlSeconds, data }));
}
