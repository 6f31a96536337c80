// Form: the set of parts that draw a form from its schema, for residents' and officers' pages alike.
export { Field, controlId, type FieldProps } from './Field';
export { Fields, FormAnswers, SchemaForm, faultsOf, placed, summaryOf, type FieldFaults } from './Form';
export { Summary, goTo, type Fault } from './Summary';
export { days, fits, hintFor, hints, isCitizenNumber, isCreditCode, wrong, type Hint } from './judge';
export { answerOf, fenOf, money, sayAnswer, typedOf, yuan } from './say';
export { asked, askedSteps, fieldAt, FORMATS, holds, isEmpty, notAsked, readForm, same, wordsOf, type Format, type FormField, type FormStep, type Option, type ReadForm } from './schema';
