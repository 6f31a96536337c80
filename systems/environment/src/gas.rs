//! Formulas of HJ 212-2017 appendix D: reference oxygen, standard state, parts per million,
//! nitrogen oxides, amounts and means weighted by flow.

/// Oxygen of air in the formula of reference oxygen, %.
const OXYGEN_OF_AIR: f64 = 21.0;

/// Concentration converted to reference oxygen: C·(21 − O₂ref)/(21 − O₂), both in %. `None` when
/// the measured oxygen leaves nothing to divide by (a stopped boiler breathes air).
pub fn at_reference_oxygen(measured: f64, oxygen: f64, reference: f64) -> Option<f64> {
    let diluted = OXYGEN_OF_AIR - oxygen;
    let sound = measured.is_finite() && (0.0..20.0).contains(&oxygen) && reference < OXYGEN_OF_AIR;
    sound.then(|| measured * (OXYGEN_OF_AIR - reference) / diluted)
}

/// Concentration in dry gas from that in wet gas; moisture as a share (0.1 = 10 %).
pub fn dry(wet: f64, moisture: f64) -> Option<f64> {
    (0.0..1.0)
        .contains(&moisture)
        .then(|| wet / (1.0 - moisture))
}

/// mg/m³ at 273 K and 101.325 kPa from parts per million by volume; molar mass in g/mol.
pub fn from_ppm(ppm: f64, molar_mass: f64) -> f64 {
    ppm * molar_mass / 22.4
}

/// Nitrogen oxides as NO₂ from NO and NO₂, all in mg/m³.
pub fn nitrogen_oxides(no: f64, no2: f64) -> f64 {
    no * 46.0 / 30.0 + no2
}

/// Dry gas at 273 K and 101.325 kPa from the gas in the duct, in the same unit of flow:
/// temperature in °C, static pressure against the air and air pressure in kPa, moisture as a
/// share.
pub fn at_standard_state(
    flow: f64,
    temperature: f64,
    pressure: f64,
    air_pressure: f64,
    moisture: f64,
) -> f64 {
    flow * 273.0 / (273.0 + temperature) * (air_pressure + pressure) / 101.325 * (1.0 - moisture)
}

/// Kilograms from mg/m³ and m³/s (or mg/L and L/s) over so many seconds.
pub fn mass_kg(concentration: f64, flow: f64, seconds: f64) -> f64 {
    concentration * flow * seconds * 1e-6
}

/// Cubic metres of water from L/s over so many seconds.
pub fn water_m3(flow: f64, seconds: f64) -> f64 {
    flow * seconds / 1000.0
}

/// Mean of (concentration, flow) weighted by flow; the plain mean when nothing flowed, `None`
/// when there is nothing.
pub fn weighted_by_flow(pairs: &[(f64, f64)]) -> Option<f64> {
    let flow: f64 = pairs.iter().map(|(_, flow)| flow.max(0.0)).sum();
    if pairs.is_empty() {
        return None;
    }
    if flow <= 0.0 {
        return Some(pairs.iter().map(|(c, _)| c).sum::<f64>() / pairs.len() as f64);
    }
    Some(pairs.iter().map(|(c, f)| c * f.max(0.0)).sum::<f64>() / flow)
}
