import type { LookupFunction } from 'node:net';
import { isForbiddenAddress, judgeHost } from '@postrider/shared/domain/forbidden-address';
import type { ParsedCidr } from '@postrider/shared/domain/ip-address';
import { buildConnector } from 'undici';
import { DnsError, ForbiddenTargetError } from './classify-failure.ts';
import type { ResolveHost } from './dns.ts';

export interface GuardOptions {
  /** Lets every address pass: for development and tests on one machine. */
  readonly disableTargetIpCheck: boolean;
  /** Ranges that the operator allows although they are private. */
  readonly allowedTargetCidrs: readonly ParsedCidr[];
  readonly connectTimeoutMs: number;
  readonly resolve: ResolveHost;
  /** Certificates to trust instead of the system's; for tests. */
  readonly ca?: string;
}

/**
 * Connects to targets, and to nothing that may not be reached: every address is checked when the connection is made, and the connection
 * goes to the address that was checked. There is no second look-up, so that a name that changes its address meanwhile gains nothing.
 */
export function createGuardedConnector(options: GuardOptions): buildConnector.connector {
  const isForbidden = (address: string): boolean =>
    !options.disableTargetIpCheck && isForbiddenAddress(address, options.allowedTargetCidrs);

  const connect = buildConnector({
    allowH2: false,
    timeout: options.connectTimeoutMs,
    autoSelectFamily: true,
    // Node's 250 ms give up an address on one lost packet, and where the other family leads nowhere that is the end.
    autoSelectFamilyAttemptTimeout: Math.max(250, Math.floor(options.connectTimeoutMs / 4)),
    lookup: guardedLookup(options.resolve, isForbidden),
    ...(options.ca === undefined ? {} : { ca: options.ca }),
  });

  return (target, callback) => {
    // Addresses in URLs are not looked up, so they are judged here. URL parsing has made octal and hexadecimal ones plain.
    if (!options.disableTargetIpCheck && judgeHost(target.hostname, options.allowedTargetCidrs) === 'forbidden_address') {
      setImmediate(callback, forbidden(target.hostname), null);
      return;
    }
    connect(target, callback);
  };
}

/** A look-up that fails when any of the addresses is forbidden: such a name is not meant for the public internet. */
function guardedLookup(resolve: ResolveHost, isForbidden: (address: string) => boolean): LookupFunction {
  return (hostname, lookupOptions, callback) => {
    resolve(hostname).then(
      (addresses) => {
        const [first] = addresses;
        if (!first || addresses.some(({ address }) => isForbidden(address))) {
          callback(first ? forbidden(hostname) : new DnsError(`the host name ${hostname} has no address`), '', 0);
        } else if (lookupOptions.all) {
          callback(null, [...addresses]);
        } else {
          callback(null, first.address, first.family);
        }
      },
      (error: unknown) => callback(error instanceof Error ? error : new DnsError(`the host name ${hostname} could not be resolved`), '', 0),
    );
  };
}

/** The address itself is not told: names of an internal network would be resolved for whoever asks. */
function forbidden(host: string): ForbiddenTargetError {
  return new ForbiddenTargetError(
    `${host} leads to an address that may not be reached, unless the operator allows its range (ALLOWED_TARGET_CIDRS)`,
  );
}
