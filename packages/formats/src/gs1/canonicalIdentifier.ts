import { canonicalDigitalLink } from './digitalLink.ts';
import { digitalLinkOfEPC } from './epcURI.ts';

/**
 * One name for one thing: EPC URIs and GS1 Digital Links of a GS1 key become its canonical Digital Link
 * (`https://id.gs1.org/01/.../21/...`). Every other identifier stays as it is.
 */
export function canonicalIdentifier(uri: string): string {
  return (uri.startsWith('urn:epc:') ? digitalLinkOfEPC(uri) : canonicalDigitalLink(uri)) ?? uri;
}
