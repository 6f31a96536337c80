//! Entities and pages as JSON (clause 8.1), with what `$select` and `$expand` ask for.

use crate::Refusal;
use crate::model::{Entity, Set, Source, is_id};
use crate::options::Options;
use crate::page::{self, Page};
use crate::view::View;
use serde_json::{Map, Value, json};
use std::pin::Pin;

type Rendering<'f> = Pin<Box<dyn Future<Output = Result<Value, Refusal>> + Send + 'f>>;

impl View<'_> {
    /// A collection with `value` and its annotations; `link` is its address without a query.
    pub async fn collection(
        &self,
        source: &Source,
        options: &Options,
        link: &str,
    ) -> Result<Value, Refusal> {
        let page = page::read(self, source, options).await?;
        let mut body = Map::new();
        self.annotate(&mut body, "", &page, link);
        let value = match options.data_array {
            true => self.data_arrays(&page.entities, options),
            false => self.entities(&page.entities, options).await?,
        };
        body.insert("value".into(), value);
        Ok(Value::Object(body))
    }

    /// Count and next link, for `value` (`prefix` empty) or an expanded property.
    fn annotate(&self, body: &mut Map<String, Value>, prefix: &str, page: &Page, link: &str) {
        if let Some(count) = page.count {
            body.insert(format!("{prefix}@iot.count"), count.into());
        }
        if page.count_given_up {
            let note = "计数需读取的数据过多，未给出 / not counted: too much would have to be read";
            body.insert(format!("{prefix}@iot.countNote"), note.into());
        }
        if let Some(next) = &page.next {
            body.insert(
                format!("{prefix}@iot.nextLink"),
                format!("{link}?{next}").into(),
            );
        }
    }

    async fn entities(&self, entities: &[Entity], options: &Options) -> Result<Value, Refusal> {
        let mut values = Vec::with_capacity(entities.len());
        for entity in entities {
            values.push(self.entity(entity, options).await?);
        }
        Ok(Value::Array(values))
    }

    /// One entity.
    pub fn entity<'f>(&'f self, entity: &'f Entity, options: &'f Options) -> Rendering<'f> {
        Box::pin(async move {
            self.answer_one_more()?;
            let set = entity.set();
            let wanted = |name: &str| match &options.select {
                None => true,
                Some(names) => names.iter().any(|n| n == name || (is_id(n) && is_id(name))),
            };
            let mut body = Map::new();
            for name in ["@iot.selfLink", "@iot.id"] {
                if wanted(name) {
                    body.insert(name.into(), self.value(entity, name));
                }
            }
            for name in set.fields().iter().filter(|n| wanted(n)) {
                let value = self.value(entity, name);
                if !value.is_null() || *name == "result" {
                    body.insert((*name).into(), value);
                }
            }
            let own = body.get("@iot.selfLink").and_then(Value::as_str);
            let own = own.map_or_else(|| self.self_link(entity), str::to_string);
            for link in set.links() {
                let expanded = options.expand.iter().find(|e| e.link == link.name);
                let address = format!("{own}/{}", link.name);
                let Some(expand) = expanded else {
                    if wanted(link.name) {
                        body.insert(format!("{}@iot.navigationLink", link.name), address.into());
                    }
                    continue;
                };
                let source = Source::linked(entity, link);
                if link.one {
                    let one = crate::list::entities(self, &source, None).next();
                    if let Some(one) = one {
                        body.insert(link.name.into(), self.entity(&one, &expand.options).await?);
                    }
                    continue;
                }
                let page = page::read(self, &source, &expand.options).await?;
                let values = self.entities(&page.entities, &expand.options).await?;
                self.annotate(&mut body, link.name, &page, &address);
                body.insert(link.name.into(), values);
            }
            Ok(Value::Object(body))
        })
    }

    /// `$resultFormat=dataArray` (clause 12): the observations of each datastream as rows.
    fn data_arrays(&self, entities: &[Entity], options: &Options) -> Value {
        let all = || {
            let fields = Set::Observations.fields().iter();
            std::iter::once("id")
                .chain(fields.copied())
                .map(str::to_string)
                .collect()
        };
        let components: Vec<String> = options.select.clone().unwrap_or_else(all);
        let mut groups: Vec<(String, Vec<Value>)> = vec![];
        for entity in entities {
            let Entity::Observation(series, _) = entity else {
                continue;
            };
            let link = self.self_link(&Entity::Datastream(series.clone()));
            let row = components
                .iter()
                .map(|name| self.value(entity, name))
                .collect();
            match groups.iter_mut().find(|(known, _)| *known == link) {
                Some((_, rows)) => rows.push(Value::Array(row)),
                None => groups.push((link, vec![Value::Array(row)])),
            }
        }
        let groups = groups.into_iter().map(|(link, rows)| {
            json!({
                "Datastream@iot.navigationLink": link,
                "components": components,
                "dataArray@iot.count": rows.len(),
                "dataArray": rows,
            })
        });
        Value::Array(groups.collect())
    }
}
