using System.Reflection;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using McpSm.Core.Credentials;
using McpSm.Core.Vaults;
using McpSm.TestServers;
using Xunit;

namespace McpSm.Core.Tests.Formats;

/// <summary>
/// Every serialised type, found from the generated contexts. Each member has its name in the format as a literal and appears in a golden
/// file, so that a C# name can change without a change of the format.
/// </summary>
public sealed class SerializedMemberFormatTests
{
    /// <summary>Each golden JSON file, and the type that it is read as.</summary>
    private static readonly Dictionary<string, Type> Files = new()
    {
        ["credentials.json"] = typeof(CredentialIndexDocument),
        ["items/server-oauth.json"] = typeof(ServerSecrets),
        ["items/server-bearer.json"] = typeof(ServerSecrets),
        ["items/server-client.json"] = typeof(ServerSecrets),
        ["items/server-workload.json"] = typeof(ServerSecrets),
        ["items/registration.json"] = typeof(ClientRegistration),
        ["items/registration-with-candidate.json"] = typeof(ClientRegistration),
        ["items/identity.json"] = typeof(IdentityProviderSecrets),
        ["items/named-secret.json"] = typeof(NamedSecret),
        ["items/named-text.json"] = typeof(NamedSecret),
        ["items/pending.json"] = typeof(PendingItem),
    };

    private static readonly Assembly Core = typeof(CredentialJson).Assembly;

    private readonly Dictionary<Type, JsonTypeInfo> _types = [];

    public SerializedMemberFormatTests()
    {
        foreach (var context in Core.GetTypes().Where(t => t.IsSubclassOf(typeof(JsonSerializerContext))))
        {
            var instance = (JsonSerializerContext)context.GetProperty("Default")!.GetValue(null)!;
            foreach (var root in context.GetCustomAttributesData().Where(a => a.AttributeType == typeof(JsonSerializableAttribute)))
            {
                Reach((Type)root.ConstructorArguments[0].Value!, instance);
            }
        }
    }

    [Fact]
    public void Serialised_member_or_enum_text_is_in_a_golden_file()
    {
        var seen = new HashSet<string>();
        foreach (var (file, type) in Files)
        {
            using var document = JsonDocument.Parse(GoldenFile.OfCore(file).Bytes);
            Look(document.RootElement, type, file, seen);
        }
        var members = Objects.SelectMany(t => Members(t).Select(m => $"{t.Type.Name}.{m.Name}"));
        var texts = Enums.SelectMany(t => Texts(t).Select(text => $"{t.Type.Name} '{text}'"));
        List<string> all = [.. members, .. texts];
        // The search also reaches the types of members.
        Assert.True(all.Count > 100, $"{all.Count} members");
        Assert.Equal([], all.Except(seen));
    }

    [Fact]
    public void Serialised_member_has_its_name_as_a_literal()
    {
        var wrong = new List<string>();
        foreach (var type in Objects)
        {
            var named = type.Type.GetProperties(BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance)
                .Select(p => p.GetCustomAttribute<JsonPropertyNameAttribute>()?.Name).OfType<string>().ToHashSet();
            wrong.AddRange(Members(type).Where(m => !named.Contains(m.Name))
                .Select(m => $"{type.Type.Name}: '{m.Name}' needs [JsonPropertyName(\"{m.Name}\")]"));
        }
        Assert.Equal([], wrong);
    }

    [Fact]
    public void Serialised_enum_member_has_its_text_as_a_literal()
    {
        var wrong = from type in Enums
                    from field in type.Type.GetFields(BindingFlags.Public | BindingFlags.Static)
                    where field.GetCustomAttribute<JsonStringEnumMemberNameAttribute>() is null
                    select $"{type.Type.Name}.{field.Name} needs [JsonStringEnumMemberName(\"{field.Name}\")]";
        Assert.Equal([], wrong);
    }

    private IEnumerable<JsonTypeInfo> Objects => _types.Values.Where(t => t.Kind == JsonTypeInfoKind.Object);

    /// <summary>Our own enums. The enums of .NET keep their names.</summary>
    private IEnumerable<JsonTypeInfo> Enums => _types.Values.Where(t => t.Type.IsEnum && t.Type.Assembly == Core);

    private static IEnumerable<JsonPropertyInfo> Members(JsonTypeInfo type) => type.Properties.Where(p => p.Get is not null || p.Set is not null);

    private static IEnumerable<string> Texts(JsonTypeInfo type) =>
        Enum.GetValues(type.Type).Cast<object>().Select(value => JsonSerializer.SerializeToElement(value, type).GetString()!);

    private static Type? ElementOf(Type type) => type.IsArray ? type.GetElementType() : type.GetGenericArguments() is [.., var last] ? last : null;

    private void Reach(Type type, JsonSerializerContext context)
    {
        type = Nullable.GetUnderlyingType(type) ?? type;
        if (context.GetTypeInfo(type) is not { } info || !_types.TryAdd(type, info))
        {
            return;
        }
        if (info.Kind is JsonTypeInfoKind.Dictionary or JsonTypeInfoKind.Enumerable)
        {
            Reach(ElementOf(type)!, context);
        }
        foreach (var member in info.Properties.Where(p => p.Get is not null || p.Set is not null))
        {
            Reach(member.PropertyType, context);
        }
    }

    private void Look(JsonElement json, Type type, string path, HashSet<string> seen)
    {
        type = Nullable.GetUnderlyingType(type) ?? type;
        var info = _types[type];
        switch (info.Kind)
        {
            case JsonTypeInfoKind.Object:
                foreach (var member in json.EnumerateObject())
                {
                    var known = Assert.Single(Members(info), m => m.Name == member.Name);
                    Assert.NotEqual(JsonValueKind.Null, member.Value.ValueKind);
                    seen.Add($"{type.Name}.{member.Name}");
                    Look(member.Value, known.PropertyType, $"{path}/{member.Name}", seen);
                }
                break;
            case JsonTypeInfoKind.Dictionary:
                Assert.All(json.EnumerateObject(), entry => Look(entry.Value, ElementOf(type)!, $"{path}/{entry.Name}", seen));
                break;
            case JsonTypeInfoKind.Enumerable:
                Assert.All(json.EnumerateArray(), entry => Look(entry, ElementOf(type)!, path, seen));
                break;
            default:
                if (type.IsEnum)
                {
                    seen.Add($"{type.Name} '{json.GetString()}'");
                }
                break;
        }
    }
}
