// The certificate of the stories' own names: each process makes one, keeps its key in memory, and has the Chromium that
// it starts believe this one key. Whatever else nobody vouches for is refused as ever.
import { createHash, createPublicKey } from 'node:crypto';
import forge from 'node-forge';
import { HOSTS } from './places.mjs';

const DAY_MS = 24 * 60 * 60 * 1000;

export const certificate = makeCertificate();

export function makeCertificate() {
  const { pki, md } = forge;
  const keys = pki.rsa.generateKeyPair(2048);
  const paper = pki.createCertificate();
  paper.publicKey = keys.publicKey;
  paper.validity.notBefore = new Date(Date.now() - DAY_MS);
  paper.validity.notAfter = new Date(Date.now() + DAY_MS);
  const name = [{ name: 'commonName', value: 'Keyhole browser tests' }];
  paper.setSubject(name);
  paper.setIssuer(name);
  const DNS = 2;
  const altNames = HOSTS.map((value) => ({ type: DNS, value }));
  paper.setExtensions([{ name: 'subjectAltName', altNames }]);
  paper.sign(keys.privateKey, md.sha256.create());
  const cert = pki.certificateToPem(paper);
  const spki = createPublicKey(cert).export({ type: 'spki', format: 'der' });
  return {
    cert,
    key: pki.privateKeyToPem(keys.privateKey),
    /** As Chromium's `--ignore-certificate-errors-spki-list` wants it. */
    fingerprint: createHash('sha256').update(spki).digest('base64'),
  };
}
