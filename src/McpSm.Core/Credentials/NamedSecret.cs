using System.Globalization;
using System.Text.Json.Serialization;
using McpSm.Core.Errors;

namespace McpSm.Core.Credentials;

/// <summary>What a named secret was given as, and is given back as.</summary>
public enum SecretKind
{
    [JsonStringEnumMemberName("String")]
    String,
    [JsonStringEnumMemberName("SecureString")]
    SecureString,
}

/// <summary>A secret that another tool keeps here under a name of its own.</summary>
public sealed record NamedSecret
{
    [JsonPropertyName("name")]
    public required string Name { get; init; }
    [JsonPropertyName("kind")]
    public SecretKind Kind { get; init; }
    [JsonPropertyName("text")]
    public required string Text { get; init; }
    [JsonPropertyName("metadata")]
    public IReadOnlyDictionary<string, MetadataValue>? Metadata { get; init; }

    /// <summary>Without the text: records print all their members.</summary>
    public override string ToString() => "named secret";
}

/// <summary>A value of a secret's metadata, as text that keeps its type.</summary>
public sealed record MetadataValue([property: JsonPropertyName("type")] TypeCode Type, [property: JsonPropertyName("value")] string Value)
{
    /// <exception cref="McpAuthException">InvalidValue: neither text, number, truth nor time.</exception>
    public static MetadataValue Of(string key, object? value) => value is IConvertible plain and not Enum
        && plain.GetTypeCode() is var type and not (TypeCode.Object or TypeCode.DBNull or TypeCode.Empty)
        ? new(type, value is DateTime time ? time.ToString("O", CultureInfo.InvariantCulture) : plain.ToString(CultureInfo.InvariantCulture))
        : throw new McpAuthException(ErrorReason.InvalidValue, $"The metadata '{ForeignText.Clean(key)}' cannot be kept: "
            + $"it is {(value is null ? "null" : "of type " + value.GetType().Name)}. Text, numbers, truth values and DateTime can be.");

    public object Read() => Type == TypeCode.DateTime ? DateTime.Parse(Value, CultureInfo.InvariantCulture, DateTimeStyles.RoundtripKind)
        : Convert.ChangeType(Value, Type, CultureInfo.InvariantCulture);
}
