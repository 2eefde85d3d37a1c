const DATE_TIME_STAMP =
  /^([0-9]{4})-([0-9]{2})-([0-9]{2})T([0-9]{2}):([0-9]{2}):([0-9]{2})(?:\.([0-9]{1,100}))?(Z|[+-][0-9]{2}:[0-9]{2})$/;

/**
 * An `xsd:dateTimeStamp` in UTC with milliseconds: `2023-01-18T11:04:03.142Z`. The third decimal is rounded up if the
 * fourth is 5 to 9 (CBV 2.0, event hash, rule 9). Integers only. Returns undefined for anything that is no date and time
 * with an offset: without the offset nobody knows the moment.
 */
export function normaliseDateTimeStamp(text: string): string | undefined {
  const match = DATE_TIME_STAMP.exec(text);
  if (match === null) return undefined;
  const [year, month, day, hour, minute, second] = match.slice(1, 7).map(Number) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  const offset = offsetMinutes(match[8] as string);
  if (offset === undefined || year === 0 || month < 1 || month > 12) return undefined;
  if (day < 1 || day > daysInMonth(year, month) || minute > 59 || second > 59) return undefined;
  const fraction = (match[7] ?? '').padEnd(4, '0');
  // XML Schema writes the end of a day as 24:00:00.
  if (hour > 24 || (hour === 24 && (minute > 0 || second > 0 || !/^0+$/.test(fraction)))) return undefined;
  const roundedMs = Number(fraction.slice(0, 3)) + (fraction.charAt(3) >= '5' ? 1 : 0);
  const minutes = daysSinceEpoch(year, month, day) * 1_440 + hour * 60 + minute - offset;
  return print((minutes * 60 + second) * 1_000 + roundedMs);
}

/** Minutes east of UTC; XML Schema allows up to fourteen hours. */
function offsetMinutes(text: string): number | undefined {
  if (text === 'Z') return 0;
  const hours = Number(text.slice(1, 3));
  const minutes = Number(text.slice(4, 6));
  if (minutes > 59 || hours * 60 + minutes > 14 * 60) return undefined;
  const total = hours * 60 + minutes;
  return text.startsWith('-') ? -total : total;
}

const isLeapYear = (year: number): boolean => year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);

function daysInMonth(year: number, month: number): number {
  if (month === 2) return isLeapYear(year) ? 29 : 28;
  return [4, 6, 9, 11].includes(month) ? 30 : 31;
}

/** Days from 1970-01-01 in the proleptic Gregorian calendar (whole numbers far below 2^53). */
function daysSinceEpoch(year: number, month: number, day: number): number {
  const shifted = month <= 2 ? year - 1 : year;
  const era = Math.floor(shifted / 400);
  const yearOfEra = shifted - era * 400;
  const dayOfYear = Math.floor((153 * (month + (month > 2 ? -3 : 9)) + 2) / 5) + day - 1;
  const dayOfEra = yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear;
  return era * 146_097 + dayOfEra - 719_468;
}

function dateOf(days: number): readonly [year: number, month: number, day: number] {
  const shifted = days + 719_468;
  const era = Math.floor(shifted / 146_097);
  const dayOfEra = shifted - era * 146_097;
  const yearOfEra = Math.floor(
    (dayOfEra - Math.floor(dayOfEra / 1_460) + Math.floor(dayOfEra / 36_524) - Math.floor(dayOfEra / 146_096)) / 365,
  );
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const monthFromMarch = Math.floor((5 * dayOfYear + 2) / 153);
  const day = dayOfYear - Math.floor((153 * monthFromMarch + 2) / 5) + 1;
  const month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9;
  return [yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, day];
}

function print(milliseconds: number): string | undefined {
  const days = Math.floor(milliseconds / 86_400_000);
  const [year, month, day] = dateOf(days);
  if (year < 1 || year > 9999) return undefined;
  const rest = milliseconds - days * 86_400_000;
  const two = (value: number): string => String(value).padStart(2, '0');
  const time = [rest / 3_600_000, (rest / 60_000) % 60, (rest / 1_000) % 60].map((part) => two(Math.floor(part)));
  const date = `${String(year).padStart(4, '0')}-${two(month)}-${two(day)}`;
  return `${date}T${time.join(':')}.${String(rest % 1_000).padStart(3, '0')}Z`;
}
