export default function Processes() { return null; }
