import { errors } from 'undici';
import { expect, test } from 'vitest';
import { classifyFailure, DnsError, ForbiddenTargetError } from './classify-failure.ts';

const secret = 'a text that nobody may see';
const withCode = (code: string, more: object = {}): Error => Object.assign(new Error(secret), { code, ...more });

test.each([
  [new ForbiddenTargetError('x leads to an address that may not be reached'), 'E_INVALID_TARGET'],
  [new DnsError('the host name x could not be resolved'), 'E_DNS'],
  [withCode('UND_ERR_CONNECT_TIMEOUT'), 'E_TIMEOUT'],
  [withCode('ETIMEDOUT'), 'E_TIMEOUT'],
  [withCode('ECONNREFUSED'), 'E_CONNECTION'],
  [withCode('ECONNRESET'), 'E_CONNECTION'],
  [withCode('ENETUNREACH'), 'E_CONNECTION'],
  [withCode('DEPTH_ZERO_SELF_SIGNED_CERT'), 'E_CONNECTION'],
  [withCode('ERR_TLS_CERT_ALTNAME_INVALID'), 'E_CONNECTION'],
  [withCode('CERT_HAS_EXPIRED'), 'E_CONNECTION'],
  [withCode('ERR_SSL_WRONG_VERSION_NUMBER'), 'E_CONNECTION'],
  [withCode('EPROTO'), 'E_CONNECTION'],
  [new errors.HTTPParserError(secret), 'E_CONNECTION'],
  [withCode('HPE_INVALID_CONSTANT'), 'E_CONNECTION'],
  [withCode('UND_ERR_INVALID_ARG'), 'E_INVALID_TARGET'],
  [withCode('E_SOMETHING_NEW'), 'E_UNKNOWN'],
  [new Error(secret), 'E_UNKNOWN'],
  [secret, 'E_UNKNOWN'],
])('%s is %s, in words of ours', (error, errorName) => {
  const failure = classifyFailure(error, false);
  expect(failure).toMatchObject({ kind: 'error', errorName });
  expect(failure.message).not.toContain(secret);
});

test.each(['EMFILE', 'ENFILE', 'ENOBUFS', 'ENOMEM', 'EADDRNOTAVAIL'])('%s is a fault of ours', (code) => {
  expect(classifyFailure(withCode(code), false)).toMatchObject({ kind: 'own_fault' });
  expect(classifyFailure(new AggregateError([withCode('ECONNREFUSED'), withCode(code)]), false)).toMatchObject({ kind: 'own_fault' });
});

test('a receiver that refuses does not become a fault of ours where IPv6 is not set up', () => {
  const refused = withCode('ECONNREFUSED', { address: '198.51.100.1' });
  const noIPv6 = withCode('EADDRNOTAVAIL', { address: '2001:db8::1' });
  expect(classifyFailure(new AggregateError([refused, noIPv6]), false)).toMatchObject({
    errorName: 'E_CONNECTION',
    message: expect.stringContaining('refused'),
  });
  expect(classifyFailure(noIPv6, false)).toMatchObject({ errorName: 'E_CONNECTION', message: expect.stringContaining('IPv6') });
});

test('says whether a connection ended before or in the answer', () => {
  expect(classifyFailure(withCode('UND_ERR_SOCKET'), false).message).toContain('without an answer');
  expect(classifyFailure(withCode('UND_ERR_SOCKET'), true).message).toContain('broke off its answer');
});
