import { canonicalDigitalLink } from './digitalLink.ts';
import { digitalLinkOfEPC } from './epcURI.ts';

/** Longer than any GS1 key with its domain and attributes: what is longer is a text, and is not searched for one. */
const MAX_LENGTH = 2_048;

/**
 * One name for one thing: EPC URIs and GS1 Digital Links of a GS1 key become its canonical Digital Link
 * (`https://id.gs1.org/01/.../21/...`). Every other identifier stays as it is.
 */
export function canonicalIdentifier(uri: string): string {
  if (uri.length > MAX_LENGTH) return uri;
  return (uri.startsWith('urn:epc:') ? digitalLinkOfEPC(uri) : canonicalDigitalLink(uri)) ?? uri;
}
