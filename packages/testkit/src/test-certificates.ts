import { generate } from 'selfsigned';

export interface TestCertificates {
  /** The authority that signed `trusted`. */
  readonly ca: string;
  readonly trusted: { readonly key: string; readonly cert: string };
  /** Signed by nobody that is known. */
  readonly untrusted: { readonly key: string; readonly cert: string };
}

/** Certificates for 127.0.0.1 and localhost. */
export async function makeTestCertificates(): Promise<TestCertificates> {
  const trusted = await generateFor127();
  const untrusted = await generateFor127();
  return {
    ca: trusted.cert,
    trusted: { key: trusted.private, cert: trusted.cert },
    untrusted: { key: untrusted.private, cert: untrusted.cert },
  };
}

function generateFor127() {
  return generate([{ name: 'commonName', value: 'localhost' }], {
    keySize: 2048,
    extensions: [
      { name: 'basicConstraints', cA: true },
      {
        name: 'subjectAltName',
        altNames: [
          { type: 2, value: 'localhost' },
          { type: 7, ip: '127.0.0.1' },
        ],
      },
    ],
  });
}
