//! From a path (clause 9.2) to what it names: the root, a collection, an entity, a property.

use crate::model::{Entity, Set, Source, is_id, parse_observation_id, parse_series_id};
use crate::options::Options;
use crate::url::{self, Segment};
use crate::view::View;
use crate::{Answer, MAX_QUERY_BYTES, Refusal, list};
use kernel::Time;
use kernel::observations::{RangeAnswer, RangeQuery, SeriesName, Step};
use serde_json::{Value, json};

/// Conformance classes of OGC 18-088 that are served.
const CONFORMANCE: [&str; 4] = [
    "http://www.opengis.net/spec/iot_sensing/1.1/req/datamodel",
    "http://www.opengis.net/spec/iot_sensing/1.1/req/resource-path/resource-path-to-entities",
    "http://www.opengis.net/spec/iot_sensing/1.1/req/request-data",
    "http://www.opengis.net/spec/iot_sensing/1.1/req/data-array/data-array",
];

/// Steps of a path at most.
const MAX_STEPS: usize = 12;

enum Place {
    Collection(Source),
    Entity(Entity),
}

/// Answers a path and a query, both percent-encoded.
pub async fn resolve(view: &View<'_>, path: &str, query: &str) -> Result<Answer, Refusal> {
    if query.len() > MAX_QUERY_BYTES || path.len() > MAX_QUERY_BYTES {
        return Err(Refusal::bad("请求地址过长", "the address is too long"));
    }
    let steps = url::segments(path)?;
    if steps.is_empty() {
        return Ok(Answer::json(root(view)));
    }
    if steps.len() > MAX_STEPS {
        return Err(Refusal::bad("路径过长", "the path has too many steps"));
    }
    let pairs = url::pairs(query)?;
    let link = format!("{}/{path}", view.base);
    let (place, rest) = follow(view, &steps).await?;
    match (place, rest) {
        (Place::Collection(source), []) => {
            let options = Options::read(source.set, pairs)?;
            Ok(Answer::json(
                view.collection(&source, &options, &link).await?,
            ))
        }
        (Place::Collection(source), [step]) if step.name == "$ref" => {
            let mut options = Options::read(source.set, pairs)?;
            options.select = Some(vec!["@iot.selfLink".into()]);
            options.expand.clear();
            Ok(Answer::json(
                view.collection(&source, &options, &link).await?,
            ))
        }
        (Place::Entity(entity), []) => {
            let options = Options::read(entity.set(), pairs)?;
            Ok(Answer::json(view.entity(&entity, &options).await?))
        }
        (Place::Entity(entity), [step]) if step.name == "$ref" => Ok(Answer::json(
            json!({"@iot.selfLink": view.self_link(&entity)}),
        )),
        (Place::Entity(entity), rest) => property(view, &entity, rest),
        (Place::Collection(_), [step, ..]) => Err(Refusal::missing(&step.name)),
    }
}

fn root(view: &View<'_>) -> Value {
    let sets = Set::ALL
        .map(|set| json!({"name": set.name(), "url": format!("{}/{}", view.base, set.name())}));
    json!({"value": sets, "serverSettings": {"conformance": CONFORMANCE}})
}

/// Follows sets, keys and links as far as they go.
async fn follow<'s>(
    view: &View<'_>,
    steps: &'s [Segment],
) -> Result<(Place, &'s [Segment]), Refusal> {
    let Some((first, mut rest)) = steps.split_first() else {
        return Err(Refusal::missing("/"));
    };
    let set = Set::parse(&first.name).ok_or_else(|| Refusal::missing(&first.name))?;
    let mut place = enter(view, Source::all(set), first).await?;
    while let (Place::Entity(entity), Some((step, after))) = (&place, rest.split_first()) {
        let Some(link) = entity.set().link(&step.name) else {
            break;
        };
        let source = Source::linked(entity, link);
        place = if link.one && step.key.is_none() {
            let one = list::entities(view, &source, None).next();
            Place::Entity(one.ok_or_else(|| Refusal::missing(&step.name))?)
        } else {
            enter(view, source, step).await?
        };
        rest = after;
    }
    Ok((place, rest))
}

async fn enter(view: &View<'_>, source: Source, step: &Segment) -> Result<Place, Refusal> {
    let Some(id) = &step.key else {
        return Ok(Place::Collection(source));
    };
    let entity = find(view, &source, id).await?;
    let missing = || Refusal::missing(&format!("{}('{id}')", source.set.name()));
    entity.map(Place::Entity).ok_or_else(missing)
}

/// An entity of a source by id.
async fn find(view: &View<'_>, source: &Source, id: &str) -> Result<Option<Entity>, Refusal> {
    let mut wanted = source.clone();
    match source.set {
        Set::Datastreams => {
            let series = series_within(view, source, parse_series_id(id));
            return Ok(series.map(|s| Entity::Datastream(s.into())));
        }
        Set::Observations => return find_observation(view, source, id).await,
        Set::ObservedProperties => wanted.property = Some(id.into()),
        _ => wanted.thing = Some(id.into()),
    }
    let within = source.thing.is_none()
        || source.set == Set::ObservedProperties
        || source.thing == wanted.thing;
    let within = within && (source.property.is_none() || source.property == wanted.property);
    if !within {
        return Ok(None);
    }
    // Only the id is asked for now; what else the source says was just compared.
    if source.set == Set::ObservedProperties {
        (wanted.thing, wanted.kind) = (None, None);
    }
    Ok(list::entities(view, &wanted, None).next())
}

fn series_within(
    view: &View<'_>,
    source: &Source,
    name: Option<SeriesName>,
) -> Option<kernel::observations::SeriesInfo> {
    view.find_series(&name.filter(|n| source.holds(n))?)
}

async fn find_observation(
    view: &View<'_>,
    source: &Source,
    id: &str,
) -> Result<Option<Entity>, Refusal> {
    let Some((name, micros)) = parse_observation_id(id) else {
        return Ok(None);
    };
    let Some(series) = series_within(view, source, Some(name)) else {
        return Ok(None);
    };
    let query = RangeQuery {
        series: series.name.clone(),
        from: Time(micros),
        to: Time(micros.saturating_add(1)),
        step: Step::Raw,
        as_of: None,
        limit: 1,
    };
    Ok(match view.city.observations.range(query).await? {
        RangeAnswer::Points(points, _) => points
            .first()
            .map(|point| Entity::Observation(series.into(), *point)),
        RangeAnswer::Buckets(..) => None,
    })
}

/// `…/name` gives `{"name": …}`, `…/name/$value` the bare value; `…/properties/state` goes inside.
fn property(view: &View<'_>, entity: &Entity, steps: &[Segment]) -> Result<Answer, Refusal> {
    let (bare, names) = match steps.split_last() {
        Some((last, names)) if last.name == "$value" => (true, names),
        _ => (false, steps),
    };
    let Some((head, inner)) = names.split_first() else {
        return Err(Refusal::missing("$value"));
    };
    let known = is_id(&head.name) || entity.set().fields().contains(&head.name.as_str());
    if !known || names.iter().any(|n| n.key.is_some()) {
        return Err(Refusal::missing(&head.name));
    }
    let whole = view.value(entity, &head.name);
    let value = inner
        .iter()
        .try_fold(&whole, |value, step| value.get(&step.name));
    let value = value.ok_or_else(|| Refusal::missing(&head.name))?;
    if !bare {
        let name = names.last().map_or("", |n| n.name.as_str());
        return Ok(Answer::json(json!({ name: value })));
    }
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => other.to_string(),
    };
    Ok(Answer {
        status: 200,
        content_type: "text/plain",
        body: Value::String(text),
    })
}
