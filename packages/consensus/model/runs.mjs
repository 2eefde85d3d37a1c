// What `npm run model` explores. `defines` are the switches of simplex.pml; README.md says what each means.

/**
 * The rules as they should be: every reachable state must keep every property. `quick` runs with `--quick`; those with
 * `quick: 'only'` are contained in longer runs and need no run of their own without it.
 */
export const sound = [
  { name: 'two-views', views: 2, quick: 'only', defines: ['RESULTS', 'CRASHES', 'ONE_PENDING'] },
  { name: 'two-views-epochs', views: 2, quick: 'only', defines: ['EPOCHS'] },
  { name: 'three-views-in-order', views: 3, quick: 'only', defines: ['RESULTS', 'ORDERED'] },
  { name: 'three-views-in-order-epochs', views: 3, quick: 'only', defines: ['EPOCHS', 'ORDERED'] },
  { name: 'two-views-crashes', views: 2, defines: ['RESULTS', 'CRASHES'] },
  { name: 'two-views-crashes-epochs', views: 2, defines: ['EPOCHS', 'CRASHES', 'ONE_PENDING'] },
  { name: 'three-views', views: 3, defines: ['RESULTS'] },
  { name: 'three-views-epochs', views: 3, defines: ['EPOCHS'] },
  { name: 'three-views-in-order-crashes', views: 3, defines: ['RESULTS', 'CRASHES', 'ONE_PENDING', 'ORDERED'] },
  { name: 'four-views-in-order', views: 4, defines: ['RESULTS', 'ORDERED'] },
  { name: 'four-views-in-order-epochs', views: 4, defines: ['EPOCHS', 'ORDERED'] },
  { name: 'four-views-in-order-lost-log', views: 4, defines: ['RESULTS', 'AMNESIA', 'ORDERED'] },
];

const CRASHES_IN_ORDER = ['CRASHES', 'ONE_PENDING', 'ORDERED'];

/**
 * One rule broken each: the search must end at a state without the property `breaks`, and looks at no other. The search is breadth
 * first, so the counterexample is a shortest one, but for those whose shortest one lies too deep (`deep`).
 */
export const weakened = [
  { name: 'small-quorum', rule: 'V2', breaks: 'agreement', views: 2, defines: ['WEAK_QUORUM'] },
  { name: 'small-nullify-quorum', rule: 'V2', breaks: 'agreement', views: 2, defines: ['WEAK_NULLIFY_QUORUM'] },
  { name: 'nullify-and-finalize', rule: 'E2', breaks: 'agreement', views: 2, defines: ['WEAK_NULLIFY_AND_FINALIZE'] },
  { name: 'two-notarizes', rule: 'P6', breaks: 'agreement', views: 2, defines: ['WEAK_TWO_NOTARIZES'] },
  { name: 'gap-accepted', rule: 'P2', breaks: 'agreement', views: 2, defines: ['WEAK_GAP'] },
  { name: 'parent-not-notarized', rule: 'P2', breaks: 'validity', views: 2, defines: ['WEAK_PARENT'] },
  { name: 'finalize-unnotarized', rule: 'E2', breaks: 'validity', views: 2, defines: ['WEAK_FINALIZE_UNNOTARIZED'] },
  { name: 'votes-forgotten', rule: 'S1', breaks: 'agreement', views: 2, defines: [...CRASHES_IN_ORDER, 'WEAK_FORGET'] },
  {
    name: 'sent-before-flushed',
    rule: 'host 2',
    breaks: 'agreement',
    views: 2,
    defines: [...CRASHES_IN_ORDER, 'WEAK_SEND_BEFORE_FLUSH'],
  },
  { name: 'two-results', rule: 'E2', breaks: 'one result', views: 2, defines: ['RESULTS', 'WEAK_TWO_RESULTS'] },
  { name: 'changed-ancestor', rule: 'E1', breaks: 'one result', views: 2, defines: ['RESULTS', 'WEAK_E1'] },
  { name: 'late-finalize', rule: 'E2', breaks: 'one result', views: 2, defines: ['RESULTS', 'WEAK_LATE_FINALIZE'] },
  {
    name: 'closing-block-extended',
    rule: 'P3',
    breaks: 'agreement',
    views: 2,
    defines: ['EPOCHS', 'WEAK_CLOSING_EXTENDED'],
  },
  { name: 'early-epoch', rule: 'Epochs', breaks: 'agreement', views: 2, defines: ['EPOCHS', 'WEAK_EARLY_EPOCH'] },
  {
    name: 'lost-log-ignored',
    rule: 'Amnesia',
    breaks: 'agreement',
    views: 2,
    defines: ['AMNESIA', 'WEAK_AMNESIA_AT_ONCE'],
  },
  {
    name: 'lost-log-without-finalization',
    rule: 'Amnesia',
    breaks: 'one result',
    views: 3,
    defines: ['AMNESIA', 'RESULTS', 'ORDERED', 'WEAK_AMNESIA_WITHOUT_FINALIZATION'],
  },
  {
    name: 'lost-log-few-reports',
    rule: 'Amnesia',
    breaks: 'agreement',
    views: 4,
    deep: true,
    defines: ['AMNESIA', 'ORDERED', 'WEAK_AMNESIA_FEW_REPORTS'],
  },
  {
    name: 'lost-log-stale-reports',
    rule: 'Amnesia',
    breaks: 'agreement',
    views: 4,
    deep: true,
    defines: ['AMNESIA', 'ORDERED', 'WEAK_AMNESIA_STALE_REPORTS'],
  },
];
