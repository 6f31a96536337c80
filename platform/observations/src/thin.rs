//! Thinning: fewer points that look the same. LTTB (largest triangle three buckets, S. Steinarsson
//! 2013): the first and the last point stay, and of each bucket the one that spans the largest
//! triangle with the point kept before and the mean of the bucket after, so that peaks survive.

use kernel::observations::Point;

/// At most `keep` of the points (at least two), in order.
pub(crate) fn thin(points: &[Point], keep: usize) -> Vec<Point> {
    let keep = keep.max(2);
    if points.len() <= keep {
        return points.to_vec();
    }
    let (first, last) = (points[0], points[points.len() - 1]);
    if keep == 2 {
        return vec![first, last];
    }
    let inner = points.len() - 2;
    let buckets = keep - 2;
    let edge = |n: usize| 1 + (n as u128 * inner as u128 / buckets as u128) as usize;
    // Times against the first: differences of epoch microseconds lose nothing in a double.
    let x = |p: &Point| p.time.0.wrapping_sub(first.time.0) as f64;
    let mut kept = Vec::with_capacity(keep);
    kept.push(first);
    let mut before = first;
    for bucket in 0..buckets {
        let next = if bucket + 1 < buckets {
            &points[edge(bucket + 1)..edge(bucket + 2)]
        } else {
            &points[points.len() - 1..]
        };
        let count = next.len() as f64;
        let mean_x = next.iter().map(x).sum::<f64>() / count;
        let mean_y = next.iter().map(|p| p.value).sum::<f64>() / count;
        let area = |p: &Point| {
            let (ax, ay) = (x(&before), before.value);
            ((ax - mean_x) * (p.value - ay) - (ax - x(p)) * (mean_y - ay)).abs()
        };
        let mut chosen = points[edge(bucket)];
        let mut largest = f64::NEG_INFINITY;
        for point in &points[edge(bucket)..edge(bucket + 1)] {
            let size = area(point);
            if size > largest {
                (largest, chosen) = (size, *point);
            }
        }
        kept.push(chosen);
        before = chosen;
    }
    kept.push(last);
    kept
}

#[cfg(test)]
mod tests {
    use super::*;
    use kernel::Time;
    use kernel::observations::Flag;

    fn points(values: impl IntoIterator<Item = f64>) -> Vec<Point> {
        let point = |(at, value)| Point {
            time: Time(at as i64 * 1_000_000),
            value,
            flag: Flag(0),
            received: Time(0),
        };
        values.into_iter().enumerate().map(point).collect()
    }

    #[test]
    fn extremes_and_ends_stay() {
        let mut values = vec![1.0; 10_000];
        values[4321] = 99.0;
        values[7000] = -50.0;
        let all = points(values);
        for keep in [10, 100, 999] {
            let few = thin(&all, keep);
            assert_eq!(few.len(), keep);
            assert_eq!((few[0], few[keep - 1]), (all[0], all[9999]));
            assert!(
                few.iter().any(|p| p.value == 99.0) && few.iter().any(|p| p.value == -50.0),
                "{keep}"
            );
            assert!(few.windows(2).all(|pair| pair[0].time < pair[1].time));
        }
    }

    #[test]
    fn few_points_stay_as_they_are() {
        for count in 0..5 {
            let all = points((0..count).map(f64::from));
            assert_eq!(thin(&all, 5), all);
        }
        assert_eq!(thin(&points([1.0, 2.0, 3.0]), 0).len(), 2);
    }
}
