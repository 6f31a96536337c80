// The same table in npm's dmn-eval-js and the same condition in npm's feelin.
//   node peer.mjs FOLDER     reads FOLDER/table.dmn
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { evaluate, parseExpression } from 'feelin';

const { decisionTable } = createRequire(import.meta.url)('@hbtgmbh/dmn-eval-js');
const SPAN = 3000;

function rate(name, act) {
  for (let n = 0; n < 200; n++) act(n);
  const begun = performance.now();
  let done = 0;
  while (performance.now() - begun < SPAN) for (let n = 0; n < 50; n++) act(++done);
  console.log(`${name.padEnd(58)} 1 thread(s) ${Math.round((done * 1000) / (performance.now() - begun)).toString().padStart(10)}/s`);
}

// It reads DMN 1.1; the table is the same.
const xml = readFileSync(`${process.argv[2]}/table.dmn`, 'utf8')
  .replace('https://www.omg.org/spec/DMN/20230324/MODEL/', 'http://www.omg.org/spec/DMN/20151101/dmn.xsd')
  .replace(/<inputData.*?<\/inputData>/g, '')
  .replace(/<informationRequirement>.*?<\/informationRequirement>/g, '');
const decisions = await decisionTable.parseDmnXml(xml);
const inputs = [...Array(1000).keys()].map((n) => ({ age: 55 + (n % 50), income: (n * 37) % 6000, district: ['rural', 'urban'][n % 2] }));
if (decisionTable.evaluateDecision('allowance', decisions, { age: 61, income: 10, district: 'rural' }).allowance !== 100) throw new Error('another result');
rate('npm @hbtgmbh/dmn-eval-js: table of 50 rules', (n) => decisionTable.evaluateDecision('allowance', decisions, inputs[n % 1000]));

const condition = 'applicant.age >= 80 and income < 3000 and status != "closed"';
const cases = [...Array(1000).keys()].map((n) => ({ applicant: { age: 60 + (n % 40), name: '张三' }, income: (n * 7) % 6000, status: 'open', other: [1, 2, 3] }));
const found = evaluate(condition, { applicant: { age: 81 }, income: 1, status: 'open' });
if ((found.value ?? found) !== true) throw new Error('another result');
void parseExpression;
rate('npm feelin: condition by its text (it keeps nothing read)', (n) => evaluate(condition, cases[n % 1000]));
