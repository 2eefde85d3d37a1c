/** The vocabularies of the Core Business Vocabulary 2.0, and where a field of an event may name a term by a bare word. */
export type Vocabulary = keyof typeof terms;

const CBV = 'https://ref.gs1.org/cbv/';
const GS1 = 'https://gs1.org/voc/';

const base: Readonly<Record<Vocabulary, string>> = {
  bizStep: `${CBV}BizStep-`,
  disposition: `${CBV}Disp-`,
  bizTransactionType: `${CBV}BTT-`,
  sourceDestinationType: `${CBV}SDT-`,
  errorReason: `${CBV}ER-`,
  component: `${CBV}Comp-`,
  measurementType: GS1,
  sensorAlertType: GS1,
};

const words = (text: string): ReadonlySet<string> => new Set(text.trim().split(/\s+/));

const terms = {
  bizStep: words(`
    accepting arriving assembling collecting commissioning consigning creating_class_instance cycle_counting decommissioning
    departing destroying disassembling dispensing encoding entering_exiting holding inspecting installing killing loading other
    packing picking receiving removing repackaging repairing replacing reserving retail_selling sampling sensor_reporting
    shipping staging_outbound stock_taking stocking storing transporting unloading unpacking void_shipping`),
  disposition: words(`
    active available completeness_verified completeness_inferred conformant container_closed container_open damaged destroyed
    dispensed disposed encoded expired in_progress in_transit inactive mismatch_instance mismatch_class mismatch_quantity
    needs_replacement no_pedigree_match non_conformant non_sellable_other partially_dispensed recalled reserved retail_sold
    returned sellable_accessible sellable_not_accessible stolen unavailable unknown`),
  bizTransactionType: words('bol cert desadv inv pedigree po poc prodorder recadv rma testprd testres upevt'),
  sourceDestinationType: words('owning_party possessing_party location'),
  errorReason: words('did_not_occur incorrect_data'),
  component: words(`
    x y z axial_distance azimuth height spherical_radius polar_angle elevation_angle easting northing latitude longitude
    altitude`),
  measurementType: words(`
    AbsoluteHumidity AbsorbedDose AbsorbedDoseRate Acceleration Radioactivity Altitude AmountOfSubstance
    AmountOfSubstancePerUnitVolume Angle AngularAcceleration AngularMomentum AngularVelocity Area Capacitance Conductance
    Conductivity Count Density Dimensionless DoseEquivalent DoseEquivalentRate DynamicViscosity ElectricCharge ElectricCurrent
    ElectricCurrentDensity ElectricFieldStrength Energy Exposure Force Frequency Illuminance Inductance Irradiance
    KinematicViscosity Length LinearMomentum Luminance LuminousFlux LuminousIntensity MagneticFlux MagneticFluxDensity
    MagneticVectorPotential Mass MassConcentration MassFlowRate MassPerAreaTime MemoryCapacity MolalityOfSolute MolarEnergy
    MolarMass MolarVolume Power Pressure RadiantFlux RadiantIntensity RelativeHumidity Resistance Resistivity SolidAngle
    SpecificVolume Speed SurfaceDensity SurfaceTension Temperature Time Torque Voltage Volume VolumeFlowRate VolumeFraction
    VolumetricFlux Wavenumber`),
  sensorAlertType: words('ALARM_CONDITION ERROR_CONDITION'),
} as const;

/** The web URI of a bare word (`shipping` as a bizStep: `https://ref.gs1.org/cbv/BizStep-shipping`); undefined if CBV has none. */
export function vocabularyURI(vocabulary: Vocabulary, word: string): string | undefined {
  return terms[vocabulary].has(word) ? base[vocabulary] + word : undefined;
}

const urns: readonly (readonly [urn: string, web: string])[] = [
  ['urn:epcglobal:cbv:bizstep:', base.bizStep],
  ['urn:epcglobal:cbv:disp:', base.disposition],
  ['urn:epcglobal:cbv:btt:', base.bizTransactionType],
  ['urn:epcglobal:cbv:sdt:', base.sourceDestinationType],
  ['urn:epcglobal:cbv:er:', base.errorReason],
];

/** The web URI of a vocabulary term that is written as a URN (CBV 2.0, event hash, rule 14); undefined for other values. */
export function vocabularyURIOfURN(urn: string): string | undefined {
  const entry = urns.find(([prefix]) => urn.startsWith(prefix));
  return entry && entry[1] + urn.slice(entry[0].length);
}

/** Prefixes that every EPCIS document may use without declaring them (the context of EPCIS 2.0). */
export const standardPrefixes: ReadonlyMap<string, string> = new Map([
  ['epcis', 'https://ref.gs1.org/epcis/'],
  ['cbv', CBV],
  ['cbvmda', 'urn:epcglobal:cbv:mda:'],
  ['gs1', GS1],
  ['rdfs', 'http://www.w3.org/2000/01/rdf-schema#'],
  ['owl', 'http://www.w3.org/2002/07/owl#'],
  ['xsd', 'http://www.w3.org/2001/XMLSchema#'],
  ['dcterms', 'http://purl.org/dc/terms/'],
]);
