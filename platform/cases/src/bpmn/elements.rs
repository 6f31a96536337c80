//! The published subset: every element of BPMN 2.0 with what becomes of it. What is not listed as
//! read or drawn is refused by name and line.

/// What becomes of an element.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// Read and carried out.
    Read,
    /// Part of the drawing or of the documentation; means nothing to the machine.
    Drawn,
}

/// Every element of the subset, by its name in the standard's schema.
pub const SUBSET: &[(&str, Fate)] = &[
    ("definitions", Fate::Read),
    ("process", Fate::Read),
    ("sequenceFlow", Fate::Read),
    ("conditionExpression", Fate::Read),
    ("incoming", Fate::Drawn),
    ("outgoing", Fate::Drawn),
    ("task", Fate::Read),
    ("userTask", Fate::Read),
    ("manualTask", Fate::Read),
    ("serviceTask", Fate::Read),
    ("scriptTask", Fate::Read),
    ("script", Fate::Read),
    ("businessRuleTask", Fate::Read),
    ("sendTask", Fate::Read),
    ("receiveTask", Fate::Read),
    ("subProcess", Fate::Read),
    ("callActivity", Fate::Read),
    ("exclusiveGateway", Fate::Read),
    ("parallelGateway", Fate::Read),
    ("inclusiveGateway", Fate::Read),
    ("eventBasedGateway", Fate::Read),
    ("startEvent", Fate::Read),
    ("intermediateCatchEvent", Fate::Read),
    ("intermediateThrowEvent", Fate::Read),
    ("endEvent", Fate::Read),
    ("boundaryEvent", Fate::Read),
    ("messageEventDefinition", Fate::Read),
    ("signalEventDefinition", Fate::Read),
    ("timerEventDefinition", Fate::Read),
    ("timeDate", Fate::Read),
    ("timeDuration", Fate::Read),
    ("timeCycle", Fate::Read),
    ("errorEventDefinition", Fate::Read),
    ("escalationEventDefinition", Fate::Read),
    ("conditionalEventDefinition", Fate::Read),
    ("condition", Fate::Read),
    ("compensateEventDefinition", Fate::Read),
    ("terminateEventDefinition", Fate::Read),
    ("standardLoopCharacteristics", Fate::Read),
    ("loopCondition", Fate::Read),
    ("multiInstanceLoopCharacteristics", Fate::Read),
    ("loopCardinality", Fate::Read),
    ("completionCondition", Fate::Read),
    ("message", Fate::Read),
    ("signal", Fate::Read),
    ("error", Fate::Read),
    ("escalation", Fate::Read),
    ("association", Fate::Read),
    ("documentation", Fate::Drawn),
    ("extensionElements", Fate::Drawn),
    ("text", Fate::Drawn),
    ("textAnnotation", Fate::Drawn),
    ("group", Fate::Drawn),
    ("category", Fate::Drawn),
    ("categoryValue", Fate::Drawn),
    ("laneSet", Fate::Drawn),
    ("lane", Fate::Drawn),
    ("flowNodeRef", Fate::Drawn),
    ("collaboration", Fate::Drawn),
    ("participant", Fate::Drawn),
    ("messageFlow", Fate::Drawn),
    ("dataObject", Fate::Drawn),
    ("dataObjectReference", Fate::Drawn),
    ("dataStoreReference", Fate::Drawn),
    ("dataStore", Fate::Drawn),
];

/// What becomes of an element; `None` when it is refused.
pub(super) fn fate(name: &str) -> Option<Fate> {
    let found = SUBSET.iter().find(|(known, _)| *known == name);
    found.map(|(_, fate)| *fate)
}
