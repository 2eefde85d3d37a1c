import * as core from '../index.ts';

/** The functions of the core that a host calls; a planted defect is another implementation of them. */
export type CoreUnderTest = Pick<
  typeof core,
  'createConsensus' | 'step' | 'certificatesBetween' | 'statusOf' | 'statusCertificates' | 'bestBranch'
>;

export const realCore: CoreUnderTest = core;
